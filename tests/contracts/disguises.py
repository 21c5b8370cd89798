"""What somebody might hide in a text, in several disguises, and what only looks like it."""

from __future__ import annotations

# Made up, and put together here so that no file of the repository shows one.
BODY = "1" + "85" + "01" + "76" + "123" + "456"
NIR = f"{BODY}{97 - int(BODY) % 97:02d}"
CORSICAN = "2" + "92" + "03" + "2A" + "004" + "005"
SPELT = str.maketrans("0123456789", "０１２３４５６７８９")
ARABIC = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")


def spaced(number: str, *sizes: int, gap: str = " ") -> str:
    parts, rest = [], number
    for size in sizes:
        parts.append(rest[:size])
        rest = rest[size:]
    return gap.join([*parts, rest] if rest else parts)


NIRS = [
    NIR,
    BODY,
    CORSICAN,
    spaced(NIR, 1, 2, 2, 2, 3, 3),
    spaced(BODY, 1, 2, 2, 2, 3, 3),
    spaced(NIR, 1, 2, 2, 2, 3, 3, gap="."),
    spaced(NIR, 1, 2, 2, 2, 3, 3, gap="-"),
    spaced(NIR, 1, 2, 2, 2, 3, 3, gap="/"),
    spaced(NIR, 1, 2, 2, 2, 3, 3, gap="\u00a0"),
    spaced(NIR, 1, 2, 2, 2, 3, 3, gap="\u202f"),
    spaced(NIR, 1, 2, 2, 2, 3, 3, gap=" – "),
    " ".join(NIR),
    ".".join(NIR),
    "·".join(NIR),
    " ".join(BODY),
    NIR.translate(SPELT),
    NIR.translate(ARABIC),
    f"n°{NIR}",
    f"Dupont{NIR}",
    f"2 {NIR}",
    f"{NIR}, 12/11/2026",
    NIR.replace("0", "O"),
    NIR.replace("1", "l"),
    f"{BODY}00",
]
INES = [
    "1234567890A",
    "123456789AB",
    "123456789ab",
    "123 456 789 AB",
    "1234567890 A",
    "123456789-AB",
    "INE1234567890A",
    "1 2 3 4 5 6 7 8 9 A B",
    "1234567890A".translate(SPELT),
]
EMAILS = [
    "zoe@exemple.fr",
    "zoe @ exemple.fr",
    "zoe (at) exemple.fr",
    "zoe[at]exemple.fr",
    "zoe＠exemple.fr",
    "zoe arobase exemple.fr",
    "zoe arobase exemple point fr",
    "zoe at exemple dot fr",
    "@zoe",
]
PHONES = [
    "0639981234",
    "06 39 98 12 34",
    "06.39.98.12.34",
    "06-39-98-12-34",
    "06/39/98/12/34",
    "06_39_98_12_34",
    "06, 39, 98, 12, 34",
    "0 6 3 9 9 8 1 2 3 4",
    "+33639981234",
    "+33 6 39 98 12 34",
    "+33 (0)6 39 98 12 34",
    "0033639981234",
    "tel0639981234",
    "O639981234",
    "0639981234".translate(SPELT),
    "0235000000",
    "+49 30 901820",
    "0639981234 12/11/2026",
]
LINKS = [
    "https://exemple.fr/a",
    "http://a",
    "HTTPS://A",
    "www.exemple.fr",
    "exemple.fr",
    "ex.com",
    "bit.ly/abc",
    "mailto:zoe",
    "ftp://a",
]
HIDDEN = [
    *((text, "nir") for text in NIRS),
    *((text, "ine") for text in INES),
    *((text, "email") for text in EMAILS),
    *((text, "phone") for text in PHONES),
    *((text, "link") for text in LINKS),
]
INVISIBLE = [
    "Du\u200brand",
    "Durand\u202e",
    "Du\nrand",
    "Du\x00rand",
    "Durand\u2028x",
    "\ufeffDurand",
]

NAMES = """Matthieu|Matthias|Nathalie|Agathe|Renaud|Athénaïs|Béatrice|Jean-Baptiste d'Arc|Le Dantec
N'Guessan|N’Diaye|O'Connor|D’Artagnan|de La Rochefoucauld|Saint-Exupéry|Anne-Marie|Éléonore|Maëlys
Zoé|Noël|Loïc|François|Hélène|Cœur|Œdipe|Ægidius|Gonçalves|Müller|Strauß|Ñuñez|Åse|Øster|Łukasz
Ștefan|Šimon|Đorđe|Żółć|Ğülşen|İbrahim|Nguyễn Thị Hồng|Phạm|Trần|El Idrissi|Ben Ali|Al-Hassan
Abd al-Karim|M'Bappé|Ait Ouarab|Van den Berghe|Vande Velde|von der Leyen|Mc Donald|Mac Mahon
Lévi-Strauss|Abbé Pierre|Dos Santos|da Silva|Di Caprio|Le Goff|Kergoat|Kerouanton|Etcheverry
Etchegoyhen|Guillou|Quéméneur|Prigent|Roparz|Yvon|Ylan|Aïcha|Aïssatou|Fatoumata|Mamadou|Ousmane
Xavière|Marie-Thérèse|Jean Marc|Pierre-Louis|Jo|Ô|Ly|Pô|U|Y|Bô|Comte|Net|Org|Frédéric|Fr|Infossi
Point|Arobase|Ate|Datte|Watt|Pat|Dotremont|Thomas d'Aquin|Sœur Emmanuelle|L'Hôte|d’Hérouville
Desprès de l'Isle|Saint-Just|Saint Léger|Ste-Beuve|Bouvier-Ajam|Aubert du Bayet|Ohlmann|Io|Eu"""
TEXTS = [
    "6e",
    "2de",
    "terminale",
    "12/11/2026",
    "12 novembre 2026",
    "2026-11-12",
    "12/11/2026 14h",
    "12/11/2026 14h30",
    "12/11/2026 à 14:30",
    "12/11/2026 76000 Rouen",
    "03/10/2024 – 08/10/2027",
    "du 03/10/2024 au 08/10/2027",
    "délibération 18-27 du 3/10/2024",
    "délibération n° 15-9 du 12/11/2026",
    "arrêté du 02/04/2026 n° 2026-118",
    "Adjointe au maire",
    "Principal·e du collège",
    "Chargé(e) de mission (ATSEM)",
    "Service Jeunesse",
    "CIO de Rouen-Centre",
    "M. Com",
    "S.A.S. Untel",
    "Mission Locale, 2e étage",
    "12 rue du Général-de-Gaulle",
    "2 bis place du Gal. de Gaulle, 76000 Rouen",
    "Lycée Val de Seine, 76120 Le Grand-Quevilly",
    "BP 1234, 76000 Rouen CEDEX 1",
    "Bâtiment B.3, salle 12",
    "SIRET 21760540100017",
    "SIREN 217605401",
    "UAI 0760001A",
    "bus 3, 12 et 27",
    "9 h 05",
    "20 ans, 2 h/semaine",
]
