"""Contents of the messages that many tests send: invented people, plainly so."""

from __future__ import annotations

REFERRAL = {"level": "4e", "concerns": ["absences", "motivation"], "hoped_help": "support"}

ANSWER = {
    "decision": "accepted",
    "referent": {
        "name": "Camille Fictive",
        "role": "référente de parcours",
        "phone": None,
        "email": "camille.fictive@ville.example",
    },
    "next_date": "2026-12-01",
}

PUPIL = {
    "identity": {
        "family_name": "Exemplaire",
        "first_name": "Zoé",
        "birth_date": "2012-03-09",
        "channel": None,
    },
    "representatives": [
        {
            "family_name": "Exemplaire",
            "first_name": "Dominique",
            "channel": {"kind": "email", "value": "dominique@famille.example"},
        }
    ],
}
