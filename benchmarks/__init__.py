"""Where figures come from: each script prints ratios, from one run on one machine."""

from __future__ import annotations
