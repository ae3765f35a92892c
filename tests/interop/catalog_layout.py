"""The tables of a DuckLake catalog as DuckDB lays them out: name, type and key of each column, as JSON.

    catalog_layout.py FOLDER
"""

import json
import sqlite3
import sys

from lake import attach


def main(folder):
    attach(f"{folder}/catalog.sqlite", DATA_PATH=f"{folder}/data").close()
    catalog = sqlite3.connect(f"{folder}/catalog.sqlite")
    tables = catalog.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").fetchall()
    columns = "SELECT name, type, pk FROM pragma_table_info(?)"
    print(json.dumps({table: catalog.execute(columns, [table]).fetchall() for (table,) in tables}))


if __name__ == "__main__":
    main(sys.argv[1])
