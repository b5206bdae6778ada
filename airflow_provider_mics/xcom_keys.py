"""Names under which tasks tell each other what they have sent."""

from __future__ import annotations

from typing import Final

#: XCom under which an upload tells the wait behind it what was sent in each execution, so that the verdict can
#: account for every line that left here and not only for those that the platform says it received.
PARTS_KEY: Final = "mics_parts"
#: XCom under which it tells where lines were put aside, and how many.
DEAD_LETTER_KEY: Final = "mics_dead_letter"
#: XCom under which it tells where in its file each part is, so that the report can name lines.
RANGES_KEY: Final = "mics_part_ranges"
