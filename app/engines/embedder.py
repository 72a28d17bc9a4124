"""Texts to vectors: what the embed stage and the search ask for, by onnxruntime or sentence-transformers."""

import os
import threading
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from app import config
from app.engines import embedder_onnx, weights
from app.errors import ModelUnavailable
from monitoring import metrics

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

BATCH = 8  # measured on a CPU: 32 takes 1.4 times as long, for it pads short texts to long ones


class Embedder(Protocol):
    """Turns texts into vectors; only vectors of the same name can be compared."""

    name: str
    dimension: int

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """One vector of length 1 a text: an array (len(texts), dimension)."""
        ...


def embedder() -> Embedder:
    """The embedder of the settings, loaded on first use; ModelUnavailable where it cannot be."""
    with _loading:
        return _load(config.current().embedding_model)


_loading = threading.Lock()


@lru_cache(maxsize=1)
def _load(model: str) -> Embedder:
    found = weights.embedding(model)
    with (
        weights.loading(found.source) as local_files_only,
        metrics.model_load_seconds.labels(found.name).time(),
    ):
        folder = weights.fetched(found.source, embedder_onnx.FILES, local_files_only=local_files_only)
        return embedder_onnx.load(found.name, folder) or _sentence_transformers(
            found, local_files_only=local_files_only
        )


def _sentence_transformers(found: weights.Weights, *, local_files_only: bool) -> Embedder:
    # Torch's threads would spin while they wait for one another: beside any other work on the machine, such
    # as a recogniser, embedding then takes several times as long. Read once, when torch is loaded.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    try:
        from sentence_transformers import SentenceTransformer
        from transformers.utils import logging
    except ModuleNotFoundError as missing:
        raise ModelUnavailable(
            f"The model {found.source!r} has no {embedder_onnx.MODEL} that averages its tokens, and without"
            f" {missing.name} nothing else can load it: run pip install 'youtube-rag[sentence-transformers]'."
        ) from None

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]  # untyped there; it would mar our log
    loaded = SentenceTransformer(found.source, device="cpu", local_files_only=local_files_only)
    return SentenceTransformers(found.name, loaded)


class SentenceTransformers:
    """A model of sentence-transformers on the CPU; embeds for one caller at a time."""

    def __init__(self, name: str, model: "SentenceTransformer") -> None:
        self.name = name
        self.dimension = model.get_embedding_dimension() or 0
        self._model = model
        self._busy = threading.Lock()  # its tokenizer must not be used by two threads at once

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """See Embedder."""
        if not texts:
            return np.zeros((0, self.dimension), np.float32)
        with self._busy:
            return self._model.encode(
                list(texts), batch_size=BATCH, normalize_embeddings=True, show_progress_bar=False
            )
