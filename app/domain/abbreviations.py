"""Words of French addresses that may be shortened, and how; only where their line is too long.

What is said first is shortened first: kinds of streets, then of places, then titles within names.
"""

import re
from collections.abc import Mapping
from typing import Final

# fmt: off
PLACES: Final = {
    # Kinds of streets.
    "AVENUE": "AV", "BOULEVARD": "BD", "FAUBOURG": "FG", "IMPASSE": "IMP", "CHEMIN": "CHE",
    "ROUTE": "RTE", "PLACE": "PL", "SQUARE": "SQ", "ALLEES": "ALL", "ALLEE": "ALL", "COURS": "CRS",
    "PASSAGE": "PAS", "PROMENADE": "PROM", "ESPLANADE": "ESP", "QUAI": "QU", "ROND POINT": "RPT",
    "CARREFOUR": "CAR", "TRAVERSE": "TRA", "SENTIER": "SEN", "SENTE": "SEN", "VENELLE": "VEN",
    "RUELLE": "RLE", "MONTEE": "MTE", "DESCENTE": "DSC", "CHAUSSEE": "CHS", "RUE": "R",
    # Buildings and quarters.
    "APPARTEMENT": "APT", "BATIMENT": "BAT", "ESCALIER": "ESC", "ETAGE": "ETG", "ENTREE": "ENT",
    "IMMEUBLE": "IMM", "RESIDENCE": "RES", "LOTISSEMENT": "LOT", "LOGEMENT": "LOG",
    "CENTRE COMMERCIAL": "CCAL", "PARC D ACTIVITES": "PA", "ZONE INDUSTRIELLE": "ZI",
    "ZONE ARTISANALE": "ZA", "ZONE D ACTIVITES": "ZA", "ZONE D ACTIVITE": "ZA",
    "DOMAINE": "DOM", "QUARTIER": "QUA", "HAMEAU": "HAM", "VILLAGE": "VGE", "LIEU DIT": "LD",
    "CHATEAU": "CHT", "PAVILLON": "PAV", "BOITE POSTALE": "BP",
    # Within the names of streets and towns.
    "SAINTES": "STES", "SAINTS": "STS", "SAINTE": "STE", "SAINT": "ST", "NOTRE DAME": "ND",
    "GENERAL": "GAL", "MARECHAL": "MAL", "COLONEL": "CL", "COMMANDANT": "CDT", "CAPITAINE": "CNE",
    "LIEUTENANT": "LT", "SERGENT": "SGT", "AMIRAL": "AML", "PRESIDENT": "PDT", "DOCTEUR": "DR",
    "PROFESSEUR": "PR", "MONSEIGNEUR": "MGR", "DIVISION": "DIV", "REGIMENT": "RGT",
    "GRANDE": "GDE", "GRAND": "GD", "PETITES": "PTES", "PETITE": "PTE", "PETITS": "PTS", "PETIT": "PT",
    "ANCIENNE": "ANC", "ANCIEN": "ANC", "VIEILLE": "VIE", "VIEUX": "VX", "NOUVELLE": "NLE",
    "PREFECTURE": "PREF", "UNIVERSITAIRE": "UNIV", "UNIVERSITE": "UNIV", "HOPITAL": "HOP",
    "HAUTEURS": "HTRS", "HAUTES": "HTES", "HAUTE": "HTE", "HAUTS": "HTS",
}
COMPANIES: Final = {
    "SOCIETE": "STE", "ETABLISSEMENTS": "ETS", "ETABLISSEMENT": "ETS", "ASSOCIATION": "ASSOC",
    "COMPAGNIE": "CIE", "ENTREPRISE": "ENTR", "DEPARTEMENT": "DEPT", "DEPARTEMENTALE": "DEP",
    "DEPARTEMENTAL": "DEP", "DIRECTION": "DIR", "FEDERATION": "FED", "MINISTERE": "MIN",
    "NATIONALE": "NAT", "NATIONAL": "NAT", "REGIONALE": "REG", "REGIONAL": "REG", "SERVICES": "SCES",
    "SERVICE": "SCE", "SYNDICAT": "SYND", "GENERALE": "GALE", "INTERNATIONALE": "INTERNAT",
    "INTERNATIONAL": "INTERNAT", "FRANCAISE": "FSE", "FRANCAIS": "FS",
}
TITLES: Final = {
    "MONSIEUR ET MADAME": "M ET MME", "MESDAMES": "MMES", "MADAME": "MME", "MADEMOISELLE": "MLLE",
    "MESSIEURS": "MM", "MONSIEUR": "M", "DOCTEUR": "DR", "PROFESSEUR": "PR", "MAITRE": "ME",
}
# fmt: on


def shortened(text: str, table: Mapping[str, str], limit: int) -> str:
    """Return a text with as many words shortened as it takes to fit; it may still be too long."""
    for word, short in table.items():
        while len(text) > limit:
            fewer = re.sub(rf"(?<!\w){word}(?!\w)", short, text, count=1, flags=re.IGNORECASE)
            if fewer == text:
                break
            text = fewer
    return text
