"""What this hook takes part in; wit/hook.wit says the same."""

from filter import Filter
from post_backup import PostBackup

__all__ = ["Filter", "PostBackup"]
