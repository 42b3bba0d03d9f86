"""Misbehaves as `url` says."""

import copal
from config import read_config


def deeper(depth):
    return deeper(depth + 1) + depth


class PostBackup:
    def run(self, report):
        misdeed = read_config()["url"]
        if misdeed == "throw":
            raise RuntimeError("the sky falls as it was told")
        if misdeed == "loop":
            while True:
                pass
        if misdeed == "memory":
            hoard = []
            while True:
                hoard.append(bytearray(1 << 20))
        if misdeed == "recursion":
            raise copal.failed(str(deeper(1)))
