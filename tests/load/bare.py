"""The models alone, in a process of their own, as a user's shortest script would call them.

`python -m tests.load.bare` loads both models and says so by a line, then reads orders, a JSON object a line
({"audio": path, "texts": […]}), and answers each with the seconds that its parts took.
"""

import json
import os
import sys
import time

import torch
from faster_whisper import BatchedInferencePipeline, WhisperModel, decode_audio
from sentence_transformers import SentenceTransformer
from transformers.utils import logging

from app import config
from app.engines import embedder, recogniser, weights


def main() -> None:
    """Load, then measure whatever is ordered until the orders end."""
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]  # transformers leaves it untyped
    settings = config.current()
    whisper = WhisperModel(
        weights.whisper(settings.whisper_model, settings.data_dir).source,
        device=settings.whisper_device,
        compute_type=recogniser.compute_type(settings),
        cpu_threads=os.cpu_count() or 1,
        local_files_only=True,
    )
    sentences = SentenceTransformer(weights.embedding(settings.embedding_model).source, device="cpu")
    threads = {"recogniser": os.cpu_count() or 1, "embedder": torch.get_num_threads()}
    print(json.dumps(threads), flush=True)
    for line in sys.stdin:
        order = json.loads(line)
        print(json.dumps(measure(whisper, sentences, order["audio"], order["texts"])), flush=True)


def measure(
    whisper: WhisperModel, sentences: SentenceTransformer, audio: str, texts: list[str]
) -> dict[str, float]:
    """Seconds that decoding, recognising and embedding took, and all of it."""
    began = time.perf_counter()
    samples = decode_audio(audio, recogniser.RATE_HZ)
    decoded = time.perf_counter()
    segments, _ = BatchedInferencePipeline(whisper).transcribe(
        samples,
        beam_size=5,
        batch_size=8,
        word_timestamps=True,
        without_timestamps=True,
        vad_filter=True,
        vad_parameters={"min_silence_duration_ms": 500},
    )
    list(segments)  # they are recognised as they are asked for
    recognised = time.perf_counter()
    sentences.encode(texts, batch_size=embedder.BATCH, normalize_embeddings=True, show_progress_bar=False)
    ended = time.perf_counter()
    return {
        "all": ended - began,
        "decode": decoded - began,
        "recognise": recognised - decoded,
        "embed": ended - recognised,
    }


if __name__ == "__main__":
    main()
