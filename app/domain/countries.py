"""Countries as an address's last line names them: ISO 3166-1, in French, in capitals.

The sender is in France: the country stands in the language of the country where the letter is
posted (Universal Postal Union; NF Z10-011, line 7).
"""

from typing import Final

# Written without a country: the post of France carries them as its own.
DOMESTIC: Final = frozenset({"FR", "GP", "MQ", "GF", "RE", "PM", "YT", "BL", "MF"})
# What French postal codes of five digits begin with, by territory.
POSTAL_CODES: Final = {
    "GP": ("971",), "MQ": ("972",), "GF": ("973",), "RE": ("974",), "PM": ("975",),
    "YT": ("976",), "BL": ("97133", "977"), "MF": ("97150", "978"), "MC": ("980",),
    "TF": ("984",), "WF": ("986",), "PF": ("987",), "NC": ("988",),
}  # fmt: skip

# fmt: off
COUNTRIES: Final = {
    "AD": "ANDORRE", "AE": "EMIRATS ARABES UNIS", "AF": "AFGHANISTAN", "AG": "ANTIGUA ET BARBUDA",
    "AI": "ANGUILLA", "AL": "ALBANIE", "AM": "ARMENIE", "AO": "ANGOLA", "AQ": "ANTARCTIQUE",
    "AR": "ARGENTINE", "AS": "SAMOA AMERICAINES", "AT": "AUTRICHE", "AU": "AUSTRALIE", "AW": "ARUBA",
    "AX": "ILES ALAND", "AZ": "AZERBAIDJAN",
    "BA": "BOSNIE HERZEGOVINE", "BB": "BARBADE", "BD": "BANGLADESH", "BE": "BELGIQUE",
    "BF": "BURKINA FASO", "BG": "BULGARIE", "BH": "BAHREIN", "BI": "BURUNDI", "BJ": "BENIN",
    "BL": "SAINT BARTHELEMY", "BM": "BERMUDES", "BN": "BRUNEI DARUSSALAM", "BO": "BOLIVIE",
    "BQ": "BONAIRE SAINT EUSTACHE ET SABA", "BR": "BRESIL", "BS": "BAHAMAS", "BT": "BHOUTAN",
    "BV": "ILE BOUVET", "BW": "BOTSWANA", "BY": "BELARUS", "BZ": "BELIZE",
    "CA": "CANADA", "CC": "ILES COCOS", "CD": "REPUBLIQUE DEMOCRATIQUE DU CONGO",
    "CF": "REPUBLIQUE CENTRAFRICAINE", "CG": "CONGO", "CH": "SUISSE", "CI": "COTE D IVOIRE",
    "CK": "ILES COOK", "CL": "CHILI", "CM": "CAMEROUN", "CN": "CHINE", "CO": "COLOMBIE",
    "CR": "COSTA RICA", "CU": "CUBA", "CV": "CAP VERT", "CW": "CURACAO", "CX": "ILE CHRISTMAS",
    "CY": "CHYPRE", "CZ": "REPUBLIQUE TCHEQUE",
    "DE": "ALLEMAGNE", "DJ": "DJIBOUTI", "DK": "DANEMARK", "DM": "DOMINIQUE",
    "DO": "REPUBLIQUE DOMINICAINE", "DZ": "ALGERIE",
    "EC": "EQUATEUR", "EE": "ESTONIE", "EG": "EGYPTE", "EH": "SAHARA OCCIDENTAL", "ER": "ERYTHREE",
    "ES": "ESPAGNE", "ET": "ETHIOPIE",
    "FI": "FINLANDE", "FJ": "FIDJI", "FK": "ILES FALKLAND", "FM": "MICRONESIE", "FO": "ILES FEROE",
    "FR": "FRANCE",
    "GA": "GABON", "GB": "ROYAUME UNI", "GD": "GRENADE", "GE": "GEORGIE", "GF": "GUYANE FRANCAISE",
    "GG": "GUERNESEY", "GH": "GHANA", "GI": "GIBRALTAR", "GL": "GROENLAND", "GM": "GAMBIE",
    "GN": "GUINEE", "GP": "GUADELOUPE", "GQ": "GUINEE EQUATORIALE", "GR": "GRECE",
    "GS": "GEORGIE DU SUD ET SANDWICH DU SUD", "GT": "GUATEMALA", "GU": "GUAM",
    "GW": "GUINEE BISSAU", "GY": "GUYANA",
    "HK": "HONG KONG", "HM": "ILES HEARD ET MACDONALD", "HN": "HONDURAS", "HR": "CROATIE",
    "HT": "HAITI", "HU": "HONGRIE",
    "ID": "INDONESIE", "IE": "IRLANDE", "IL": "ISRAEL", "IM": "ILE DE MAN", "IN": "INDE",
    "IO": "TERRITOIRE DE L OCEAN INDIEN", "IQ": "IRAK", "IR": "IRAN", "IS": "ISLANDE", "IT": "ITALIE",
    "JE": "JERSEY", "JM": "JAMAIQUE", "JO": "JORDANIE", "JP": "JAPON",
    "KE": "KENYA", "KG": "KIRGHIZISTAN", "KH": "CAMBODGE", "KI": "KIRIBATI", "KM": "COMORES",
    "KN": "SAINT KITTS ET NEVIS", "KP": "COREE DU NORD", "KR": "COREE DU SUD", "KW": "KOWEIT",
    "KY": "ILES CAIMANS", "KZ": "KAZAKHSTAN",
    "LA": "LAOS", "LB": "LIBAN", "LC": "SAINTE LUCIE", "LI": "LIECHTENSTEIN", "LK": "SRI LANKA",
    "LR": "LIBERIA", "LS": "LESOTHO", "LT": "LITUANIE", "LU": "LUXEMBOURG", "LV": "LETTONIE",
    "LY": "LIBYE",
    "MA": "MAROC", "MC": "MONACO", "MD": "MOLDAVIE", "ME": "MONTENEGRO", "MF": "SAINT MARTIN",
    "MG": "MADAGASCAR", "MH": "ILES MARSHALL", "MK": "MACEDOINE DU NORD", "ML": "MALI",
    "MM": "BIRMANIE", "MN": "MONGOLIE", "MO": "MACAO", "MP": "ILES MARIANNES DU NORD",
    "MQ": "MARTINIQUE", "MR": "MAURITANIE", "MS": "MONTSERRAT", "MT": "MALTE", "MU": "ILE MAURICE",
    "MV": "MALDIVES", "MW": "MALAWI", "MX": "MEXIQUE", "MY": "MALAISIE", "MZ": "MOZAMBIQUE",
    "NA": "NAMIBIE", "NC": "NOUVELLE CALEDONIE", "NE": "NIGER", "NF": "ILE NORFOLK", "NG": "NIGERIA",
    "NI": "NICARAGUA", "NL": "PAYS BAS", "NO": "NORVEGE", "NP": "NEPAL", "NR": "NAURU", "NU": "NIUE",
    "NZ": "NOUVELLE ZELANDE",
    "OM": "OMAN",
    "PA": "PANAMA", "PE": "PEROU", "PF": "POLYNESIE FRANCAISE", "PG": "PAPOUASIE NOUVELLE GUINEE",
    "PH": "PHILIPPINES", "PK": "PAKISTAN", "PL": "POLOGNE", "PM": "SAINT PIERRE ET MIQUELON",
    "PN": "PITCAIRN", "PR": "PORTO RICO", "PS": "PALESTINE", "PT": "PORTUGAL", "PW": "PALAOS",
    "PY": "PARAGUAY",
    "QA": "QATAR",
    "RE": "LA REUNION", "RO": "ROUMANIE", "RS": "SERBIE", "RU": "RUSSIE", "RW": "RWANDA",
    "SA": "ARABIE SAOUDITE", "SB": "ILES SALOMON", "SC": "SEYCHELLES", "SD": "SOUDAN", "SE": "SUEDE",
    "SG": "SINGAPOUR", "SH": "SAINTE HELENE", "SI": "SLOVENIE", "SJ": "SVALBARD ET JAN MAYEN",
    "SK": "SLOVAQUIE", "SL": "SIERRA LEONE", "SM": "SAINT MARIN", "SN": "SENEGAL", "SO": "SOMALIE",
    "SR": "SURINAME", "SS": "SOUDAN DU SUD", "ST": "SAO TOME ET PRINCIPE", "SV": "EL SALVADOR",
    "SX": "SAINT MARTIN PARTIE NEERLANDAISE", "SY": "SYRIE", "SZ": "ESWATINI",
    "TC": "ILES TURQUES ET CAIQUES", "TD": "TCHAD", "TF": "TERRES AUSTRALES FRANCAISES", "TG": "TOGO",
    "TH": "THAILANDE", "TJ": "TADJIKISTAN", "TK": "TOKELAU", "TL": "TIMOR ORIENTAL",
    "TM": "TURKMENISTAN", "TN": "TUNISIE", "TO": "TONGA", "TR": "TURQUIE", "TT": "TRINITE ET TOBAGO",
    "TV": "TUVALU", "TW": "TAIWAN", "TZ": "TANZANIE",
    "UA": "UKRAINE", "UG": "OUGANDA", "UM": "ILES MINEURES DES ETATS UNIS", "US": "ETATS UNIS",
    "UY": "URUGUAY", "UZ": "OUZBEKISTAN",
    "VA": "VATICAN", "VC": "SAINT VINCENT ET LES GRENADINES", "VE": "VENEZUELA",
    "VG": "ILES VIERGES BRITANNIQUES", "VI": "ILES VIERGES AMERICAINES", "VN": "VIETNAM",
    "VU": "VANUATU",
    "WF": "WALLIS ET FUTUNA", "WS": "SAMOA",
    "YE": "YEMEN", "YT": "MAYOTTE",
    "ZA": "AFRIQUE DU SUD", "ZM": "ZAMBIE", "ZW": "ZIMBABWE",
}
# fmt: on
