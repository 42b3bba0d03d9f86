"""What every hook needs: its config, the unpacking of batches, errors that Copal understands, and log
lines. There is nothing of your hook in here.

An exception that is none of these errors ends the hook, and Copal shows its traceback.
"""

import json
from functools import cached_property, partial

from componentize_py_types import Err
from wit_world.exports import filter as _filter
from wit_world.imports import log as _log
from wit_world.imports import run_info

try:  # the name that `types` gets beside those of wasi:http
    from wit_world.imports import copal_hooks_types as types
except ImportError:
    from wit_world.imports import types

# A filter's word on one path.
SKIP = 0  # leave it out; what is in a directory is still asked about
KEEP = 1  # take it
SKIP_SUBTREE = 2  # leave it out with everything in it
KEEP_SUBTREE = 3  # take it with everything in it, without asking about that

# What a path is, in the column `kinds`.
FILE, DIRECTORY, SYMLINK, OTHER = range(4)

# The columns that a filter can ask for.
KINDS = _filter.Columns.KINDS
SIZES = _filter.Columns.SIZES
MTIMES = _filter.Columns.MTIMES
PATHS_ALONE = _filter.Columns(0)


def invalid(message: str) -> Err:
    """To be raised where the config, or a name in it, can't be understood."""
    return Err(types.Error_Invalid(message))


def failed(message: str) -> Err:
    """To be raised where something was tried and failed."""
    return Err(types.Error_Failed(message))


def _write(level, message, **fields):
    fields = [_log.Field(name, str(value)) for name, value in fields.items()]
    _log.write(level, str(message), fields)


debug = partial(_write, _log.Level.DEBUG)
info = partial(_write, _log.Level.INFO)
warn = partial(_write, _log.Level.WARN)
error = partial(_write, _log.Level.ERROR)

_KINDS = {str: "a text", int: "a number", bool: "true or false", list: "a list of texts"}


def config(known: dict) -> dict:
    """The hook's `config` table, checked: `known` has a default for every key, whose type is the type
    that is wanted."""
    given = json.loads(run_info.config())
    for key, value in given.items():
        if key not in known:
            names = ", ".join(f"`{name}`" for name in known)
            raise invalid(f"config: there is no `{key}`, but {names}")
        wanted = type(known[key])
        texts = not isinstance(value, list) or all(isinstance(item, str) for item in value)
        if type(value) is not wanted or not texts:
            raise invalid(f"config: `{key}` has to be {_KINDS[wanted]}")
    return {**known, **given}


def needed(config: dict, key: str):
    """The value of a key that has to be in the config."""
    if not config[key]:
        raise invalid(f"config: `{key}` is missing")
    return config[key]


class Batch:
    """Paths to decide about, in columns."""

    def __init__(self, batch):
        self._batch = batch

    @cached_property
    def paths(self) -> list:
        """As bytes: names are not always UTF-8."""
        paths = self._batch.paths.split(b"\0")
        paths.pop()  # behind the last zero byte there is nothing
        return paths

    @property
    def kinds(self) -> bytes:
        return self._batch.kinds

    @cached_property
    def sizes(self) -> memoryview:
        return memoryview(self._batch.sizes).cast("Q")

    @cached_property
    def mtimes(self) -> memoryview:
        """In nanoseconds since 1970."""
        return memoryview(self._batch.mtimes).cast("q")


class Filter:
    """What a filter is made from: say `columns` or `rules` or both, and how to decide."""

    # Filter rules of rclone, which come first: ["- /cache/**"].
    rules = []
    # What `verdicts` looks at beside the paths; None lets the rules alone decide.
    columns = None

    def prepare(self):
        """Called once, before any path."""

    def verdicts(self, batch: Batch):
        """One verdict for each path of the batch, in its order."""
        raise NotImplementedError

    def start(self):
        # Every call comes to a new object; the one that was prepared is kept.
        type(self)._prepared = self
        self.prepare()
        return _filter.Approach(list(self.rules), self.columns)

    def decide(self, batch):
        return bytes(self._prepared.verdicts(Batch(batch)))
