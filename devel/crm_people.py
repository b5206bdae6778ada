"""Invented customers of an invented chain of shops, and what they buy; the same number is always the same person."""

from __future__ import annotations

import hashlib
import random
from typing import Any, Final

_GIVEN: Final = [
    "Zoé",
    "Léa",
    "Chloé",
    "Inès",
    "Anaïs",
    "Maëlys",
    "Éloïse",
    "Hélène",
    "Noémie",
    "Agnès",
    "Björn",
    "Søren",
    "Jürgen",
    "José",
    "Íñigo",
    "Łukasz",
    "Žofia",
    "Đorđe",
    "Amélie",
    "Théo",
    "Raphaël",
    "Loïc",
    "François",
    "Gaëtan",
    "Étienne",
    "Benoît",
    "Jérôme",
    "Mickaël",
    "Océane",
    "Solène",
    "Ayşe",
    "Çağla",
    "Ömer",
    "Nguyễn",
]
_FAMILY: Final = [
    "Lefèvre",
    "Müller",
    "García",
    "Núñez",
    "Françoise",
    "Dupré",
    "Bélanger",
    "Gagné",
    "Côté",
    "Håkansson",
    "Sørensen",
    "Weiß",
    "Kovačević",
    "Dvořák",
    "Wójcik",
    "Şahin",
    "Öztürk",
    "D'Angelo",
    "O'Brien",
    "Pérez",
    "Gómez",
    "Lacroix",
    "Besançon",
    "Île-Marquet",
    "Mäkinen",
    "Ó-Súilleabháin",
    "Trần",
]
_CITIES: Final = (
    ("Besançon", "25000", "FR"),
    ("Orléans", "45000", "FR"),
    ("Saint-Étienne", "42000", "FR"),
    ("Nîmes", "30000", "FR"),
    ("Liège", "4000", "BE"),
    ("Zürich", "8001", "CH"),
    ("Köln", "50667", "DE"),
    ("Málaga", "29001", "ES"),
    ("Kraków", "30-001", "PL"),
    ("Aix-en-Provence", "13100", "FR"),
)
_STREETS: Final = ("rue de l\u2019Église", "avenue des Tilleuls", "Hauptstraße", "calle Núñez", "quai n° 3 “bis”")
_PRODUCTS: Final = (
    ("thé-vert-100", "Thé vert “Sencha”", 8.5),
    ("café-250", "Café moulu", 6.2),
    ("pâté-180", "Pâté de campagne", 5.9),
    ("crème-brûlée", "Crème brûlée", 4.4),
    ("jalapeño-50", "Jalapeños", 3.1),
    ("smörgås-1", "Smörgåsknäcke", 2.75),
    ("bûche-12", "Bûche glacée 🎂", 24.9),
)
_DAY_MS: Final = 86_400_000


def loaded_dice(key: str) -> random.Random:
    """Return dice that always fall the same way for one key."""
    return random.Random(key)  # noqa: S311 - nothing here is secret, and it has to be repeatable


def chance(dice: random.Random, percent: int) -> bool:
    """Throw the dice for something that happens in so many of 100 cases."""
    return dice.randrange(100) < percent


def account_id(number: int, *, seed: int) -> str:
    """Return the account id of a customer; no id is the beginning of another."""
    return f"crm-{seed % 1000:03d}-{number:09d}"


def email(number: int, *, seed: int) -> str:
    """Return the address of a customer, at a domain that cannot exist."""
    return f"client.{seed % 1000}.{number}@courriel.example"


def email_hash(number: int, *, seed: int) -> str:
    """Return the SHA-256 of a customer's address."""
    return hashlib.sha256(email(number, seed=seed).encode()).hexdigest()


def profile(number: int, *, seed: int, compartment_id: str, now_ms: int) -> dict[str, Any]:
    """Return a USER_PROFILE line: the profile repeats the ids because it does not inherit them."""
    dice = loaded_dice(f"{seed}-{number}")
    city, postcode, country = dice.choice(_CITIES)
    bought = dice.randrange(0, 60)
    ids = {"compartment_id": compartment_id, "user_account_id": account_id(number, seed=seed)}
    customer: dict[str, Any] = {f"${key}": value for key, value in ids.items()}
    customer |= {
        "first_name": dice.choice(_GIVEN),
        "last_name": dice.choice(_FAMILY),
        "email": email(number, seed=seed),
        "email_hash": email_hash(number, seed=seed),
        "birth_year": dice.randrange(1936, 2009),
        "address": {
            "street": f"{dice.randrange(1, 240)} {dice.choice(_STREETS)}",
            "postcode": postcode,
            "city": city,
            "country": country,
        },
        "optin": {
            "email": chance(dice, 60),
            "sms": chance(dice, 30),
            "ts": now_ms - dice.randrange(900) * _DAY_MS,
        },
        "loyalty": {"tier": dice.choice(["bronze", "argent", "or"]), "points": dice.randrange(12_000)},
        "basket": {"orders": bought, "total_eur": round(bought * dice.uniform(8, 90), 2)},
    }
    if chance(dice, 30):
        customer["interests"] = dice.sample(["thé", "café", "épicerie", "pâtisserie", "déco", "bébé"], k=2)
    return {"operation": "UPSERT", **ids, "force_replace": False, "merge_objects": True, "user_profile": customer}


def purchase(number: int, customer: int, *, seed: int, compartment_id: str, ts: int) -> dict[str, Any]:
    """Return a USER_ACTIVITY line: a purchase in a shop, at ``ts`` milliseconds since 1970."""
    dice = loaded_dice(f"{seed}-purchase-{number}")
    basket = [
        (dice.randrange(1, 4), product, name, price)
        for product, name, price in dice.sample(_PRODUCTS, k=dice.randrange(1, 4))
    ]
    city, _, country = dice.choice(_CITIES)
    return {
        "$type": "TOUCH",
        "$session_status": "NO_SESSION",
        "$ts": ts,
        "$user_identifiers": [
            {
                "$type": "USER_ACCOUNT",
                "$compartment_id": compartment_id,
                "$user_account_id": account_id(customer, seed=seed),
            },
            {"$type": "USER_EMAIL", "$hash": email_hash(customer, seed=seed)},
        ],
        "$location": {"$source": "OTHER", "$country": country, "$city": city},
        "$events": [
            {
                "$event_name": "$transaction_confirmed",
                "$ts": ts,
                "$properties": {
                    "$items": [
                        {"$id": product, "$qty": quantity, "$price": price, "name": name}
                        for quantity, product, name, price in basket
                    ],
                    "$currency": "EUR",
                    "$amount": round(sum(quantity * price for quantity, _, _, price in basket), 2),
                    "receipt": f"T-{number:08d}",
                },
            }
        ],
    }
