"""pandas, polars and pyarrow read an exported Parquet file and agree on what is in it.

    exports.py FILE.parquet
"""

import json
import sys

import pandas
import polars
import pyarrow.parquet


def main(file):
    arrow = pyarrow.parquet.read_table(file)
    structure = arrow.column("structure")[0].as_py()
    from_polars = polars.read_parquet(file)
    from_pandas = pandas.read_parquet(file)
    assert from_polars.height == len(from_pandas) == arrow.num_rows
    assert from_polars["structure"][0] == structure, from_polars["structure"][0]
    assert list(from_pandas["structure"][0]["numbers"]) == structure["numbers"]
    assert list(from_pandas["elements"][0]) == from_polars["elements"][0].to_list()
    mean = [from_polars["void"].mean(), from_pandas["void"].mean()]
    assert abs(mean[0] - mean[1]) < 1e-12, mean
    units = {field.name: field.metadata[b"unit"].decode() for field in arrow.schema if b"unit" in (field.metadata or {})}
    print(json.dumps({"units": units, "rows": arrow.num_rows, "natoms": len(structure["numbers"]), "void": mean[0]}))


if __name__ == "__main__":
    main(sys.argv[1])
