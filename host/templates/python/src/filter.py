"""Phase `filter`: leaves out what ends with one of `suffixes`, and files larger than `max-size` bytes."""

import copal
from config import read_config


class Filter(copal.Filter):
    columns = copal.SIZES

    def prepare(self):
        config = read_config()
        self.suffixes = tuple(suffix.encode() for suffix in config["suffixes"])
        self.max_size = config["max-size"]

    def verdicts(self, batch):
        suffixes, max_size = self.suffixes, self.max_size
        return [
            copal.SKIP if size > max_size or path.endswith(suffixes) else copal.KEEP
            for path, size in zip(batch.paths, batch.sizes)
        ]
