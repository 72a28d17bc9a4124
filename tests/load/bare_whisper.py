"""faster-whisper as its readme calls it, in a process of its own: python -m tests.load.bare_whisper.

It loads the model and says so by a line, then reads orders, a JSON object a line ({"audio": path} and options
of transcribe()), and answers each with the seconds that it took and the words.
"""

import json
import os
import sys
import time

from faster_whisper import BatchedInferencePipeline, WhisperModel

from app import config
from app.engines import recogniser, weights


def main() -> None:
    """Load, then recognise until the orders end."""
    settings = config.current()
    model = WhisperModel(
        weights.whisper(settings.whisper_model, settings.data_dir).source,
        device=settings.whisper_device,
        compute_type=recogniser.compute_type(settings),
        cpu_threads=os.cpu_count() or 1,
        local_files_only=True,
    )
    print(json.dumps("ready"), flush=True)
    for line in sys.stdin:
        order = json.loads(line)
        engine = BatchedInferencePipeline(model) if "batch_size" in order else model
        began = time.perf_counter()
        segments, _ = engine.transcribe(word_timestamps=True, **order)
        words = [
            (word.word.strip(), word.start, word.end) for segment in segments for word in segment.words or ()
        ]
        print(json.dumps({"took_s": time.perf_counter() - began, "words": words}), flush=True)


if __name__ == "__main__":
    main()
