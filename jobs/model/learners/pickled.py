"""Objects to bytes and back: the same object gives the same bytes, and only the names a model is made of are loaded."""

from __future__ import annotations

import hashlib
import io
import pickle
from typing import Any

from jobs.runtime.errors import DataRefused

_MAGIC = b"huoke-model-1"
_OWN = "jobs.model.learners."
# What pickled HistGradientBoosting and numpy arrays name, and nothing that opens, runs or evaluates.
_NAMES = {
    "builtins": {"slice"},
    "functools": {"partial"},
    "numpy": {"dtype", "float64", "ndarray"},
    "numpy._core.multiarray": {"_reconstruct", "scalar"},
    "numpy._core.numeric": {"_frombuffer"},
    "numpy.random._pcg64": {"PCG64"},
    "numpy.random._pickle": {"__bit_generator_ctor", "__generator_ctor"},
    "numpy.random.bit_generator": {"SeedSequence", "__pyx_unpickle_SeedSequence"},
    "sklearn._loss._loss": {"CyHalfBinomialLoss"},
    "sklearn._loss.link": {"Interval", "LogitLink"},
    "sklearn._loss.loss": {"HalfBinomialLoss"},
    "sklearn.compose._column_transformer": {"ColumnTransformer"},
    "sklearn.ensemble._hist_gradient_boosting.binning": {"_BinMapper"},
    "sklearn.ensemble._hist_gradient_boosting.gradient_boosting": {"HistGradientBoostingClassifier"},
    "sklearn.ensemble._hist_gradient_boosting.predictor": {"TreePredictor"},
    "sklearn.preprocessing._encoders": {"OrdinalEncoder"},
    "sklearn.preprocessing._function_transformer": {"FunctionTransformer"},
    "sklearn.preprocessing._label": {"LabelEncoder"},
    "sklearn.utils.validation": {"check_array"},
}


def dump(thing: object) -> bytes:
    """The object as bytes: a mark, the scikit-learn version, a SHA-256 and the pickle, a line each."""
    import sklearn

    out = io.BytesIO()
    pickler = pickle.Pickler(out, protocol=5)
    pickler.fast = True  # no memo: two equal strings are written alike whether or not they are one object
    pickler.dump(thing)
    body = out.getvalue()
    digest = hashlib.sha256(body).hexdigest().encode()
    return b"\n".join([_MAGIC, sklearn.__version__.encode(), digest, body])


def load(data: bytes) -> Any:
    """The object back; DataRefused when the bytes are damaged, of another version, or name anything else."""
    import sklearn

    parts = data.split(b"\n", 3)
    if len(parts) != 4 or parts[0] != _MAGIC:
        raise DataRefused("model bytes: not a huoke model; train again or roll the table back")
    _, version, digest, body = parts
    if hashlib.sha256(body).hexdigest().encode() != digest:
        raise DataRefused(
            "model bytes: the digest differs, so the model is damaged; train again or roll the table back"
        )
    if version.decode() != sklearn.__version__:
        raise DataRefused(
            f"model bytes: fitted with scikit-learn {version.decode()}, running {sklearn.__version__}; train again"
        )
    return _Listed(io.BytesIO(body)).load()


class _Listed(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if name in _NAMES.get(module, ()) or (module.startswith(_OWN) and name[0].isupper() and "." not in name):
            return super().find_class(module, name)
        raise DataRefused(f"model bytes: they name {module}.{name}, which no model needs; do not use this file")
