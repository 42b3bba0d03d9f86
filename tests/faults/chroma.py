"""Writes to a ChromaDB for ever, or checks a copy of one.

write DIRECTORY FILE    keeps in FILE how many vectors are acknowledged
check DIRECTORY COUNT   the copy opens, has at least so many vectors, and answers queries
"""

import os
import random
import sys

import chromadb

DIMENSIONS = 64
BATCH = 20


def vector(seed):
    source = random.Random(seed)
    return [source.uniform(-1, 1) for _ in range(DIMENSIONS)]


def write(directory, told):
    client = chromadb.PersistentClient(directory)
    # A small index is written to the disk often.
    collection = client.get_or_create_collection(
        "letters",
        embedding_function=None,
        metadata={"hnsw:sync_threshold": 100, "hnsw:batch_size": 50},
    )
    done = collection.count()
    while True:
        ids = range(done, done + BATCH)
        collection.add(
            ids=[str(n) for n in ids],
            embeddings=[vector(n) for n in ids],
            documents=[f"letter {n}" for n in ids],
        )
        done += BATCH
        with open(told + ".new", "w") as file:
            file.write(str(done))
        os.rename(told + ".new", told)


def check(directory, acknowledged):
    client = chromadb.PersistentClient(directory)
    collection = client.get_collection("letters", embedding_function=None)
    count = collection.count()
    assert count >= acknowledged, f"{count} vectors, and {acknowledged} were acknowledged"
    for n in random.sample(range(count), min(20, count)):
        found = collection.query(query_embeddings=[vector(n)], n_results=3)
        assert str(n) in found["ids"][0], f"vector {n} is not found: {found['ids']}"
        assert f"letter {n}" in found["documents"][0], f"document {n} is not found"


if sys.argv[1] == "write":
    write(sys.argv[2], sys.argv[3])
else:
    check(sys.argv[2], int(sys.argv[3]))
