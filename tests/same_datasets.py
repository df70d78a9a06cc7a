#!/usr/bin/env python3
"""same_datasets.py OUT OUT: exit code 0 when both hold the same datasets, equal in every byte, in snapshots/, fields.h5 and
series.h5. What may differ (group /run, checkpoints, report.json) is left out."""
import sys
from pathlib import Path
import h5py


def datasets(folder):
    """{(file, path): (type, shape, bytes)}"""
    found = {}
    for file in [*sorted(folder.glob("snapshots/*.h5")), folder / "fields.h5", folder / "series.h5"]:
        if not file.exists():
            continue
        with h5py.File(file) as h5:
            def visit(name, item):
                if isinstance(item, h5py.Dataset) and not name.startswith("run/"):
                    value = item[()]
                    found[str(file.relative_to(folder)), name] = (str(item.dtype), item.shape, getattr(value, "tobytes", lambda: value)())
            h5.visititems(visit)
    return found


def main():
    one, two = (datasets(Path(folder)) for folder in sys.argv[1:3])
    if not one:
        print(f"{sys.argv[1]} holds nothing")
        return 1
    different = sorted(str(key) for key in one.keys() | two.keys() if one.get(key) != two.get(key))
    if different:
        print(f"{len(different)} of {len(one)} datasets differ: {', '.join(different[:6])}")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
