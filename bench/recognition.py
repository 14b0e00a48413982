"""What recognition is measured by, on the real images of ../shared/data: each part beside what it has to beat.

    python bench/recognition.py [--only NAME]

Needs `pip install '.[torch-test]'` for what networks do; what is not installed is left out, and said. Settings are
chosen on one half of the images and reported on the other, as each line says. Times are not compared here.
"""

from __future__ import annotations

import argparse
import os
import time
from importlib import import_module

from holotype.errors import NotInstalled

PARTS = (
    "predicting",
    "training",
    "transfer",
    "voting",
    "discovery",
    "explain",
    "detect",
    "learn",
    "embeddings",
)
"""Each a module ``bench/recognition_<name>.py`` whose `rows` give what was measured, and the figure."""


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--only", choices=PARTS, nargs="+", default=PARTS)
    print(f"{os.cpu_count()} cores")
    for name in asked.parse_args().only:
        began = time.process_time()
        try:
            for what, figure in import_module(f"recognition_{name}").rows():
                print(f"{name:<11} {what:<90} {figure}", flush=True)
        except (ImportError, NotInstalled) as error:
            print(f"{name:<11} left out: {error}")
        print(f"{name:<11} {time.process_time() - began:.0f} CPU s")


if __name__ == "__main__":
    main()
