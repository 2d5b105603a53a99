"""What rows are made of, as one digest, so that clients whose data is of another form can be told apart."""

import hashlib
import json

from domain.learning.trainer import Rows


def data_schema(rows: Rows) -> str:
    """SHA-256 (hex) over the names, dtypes and trailing shapes of the arrays; not over what they hold."""
    stated = [[name, rows[name].dtype.name, list(rows[name].shape[1:])] for name in sorted(rows)]
    return hashlib.sha256(json.dumps(stated).encode()).hexdigest()
