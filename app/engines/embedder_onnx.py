"""An embedder by onnxruntime: the same vectors as sentence-transformers, loaded in a tenth of the time.

Takes only models that it can be sure to treat alike: a transformer in ONNX form, whose tokens are averaged.
What does more is left to sentence-transformers.
"""

import json
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from onnxruntime import InferenceSession
    from tokenizers import Tokenizer

MODEL = "onnx/model.onnx"
FILES = (MODEL, f"{MODEL}_data", "*.json")  # of a model's folder, all that is read here
BATCH = 8
TOKENS = "last_hidden_state"


def load(name: str, folder: Path) -> "OnnxEmbedder | None":
    """The model of a folder; None where it is not in ONNX form or wants what is not done here."""
    length, padding = _longest_text(folder), _padding(folder)
    if length is None or padding is None or not (folder / MODEL).is_file():
        return None
    import onnxruntime
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(length)
    options = onnxruntime.SessionOptions()
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # idle threads leave the cores
    session = onnxruntime.InferenceSession(folder / MODEL, options, providers=["CPUExecutionProvider"])
    if TOKENS not in [output.name for output in session.get_outputs()]:
        return None
    return OnnxEmbedder(name, tokenizer, session, tokenizer.token_to_id(padding) or 0)


class OnnxEmbedder:
    """A transformer whose tokens' vectors are averaged; embeds for one caller at a time."""

    def __init__(self, name: str, tokenizer: "Tokenizer", session: "InferenceSession", padding: int) -> None:
        self.name = name
        self._tokenizer = tokenizer
        self._session = session
        self._padding = padding
        self._inputs = {taken.name for taken in session.get_inputs()}
        self._busy = threading.Lock()  # two at once would share the same cores
        self.dimension = self._forward([""]).shape[1]

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """See Embedder."""
        vectors = np.zeros((len(texts), self.dimension), np.float32)
        by_length = sorted(range(len(texts)), key=lambda place: len(texts[place]))
        with self._busy:
            for start in range(0, len(texts), BATCH):
                places = by_length[start : start + BATCH]
                vectors[places] = self._forward([texts[place] for place in places])
        return vectors

    def _forward(self, texts: Sequence[str]) -> NDArray[np.float32]:
        encoded = self._tokenizer.encode_batch(list(texts))
        shape = len(encoded), max(len(text.ids) for text in encoded)
        ids, mask, types = np.full(shape, self._padding), np.zeros(shape, np.int64), np.zeros(shape, np.int64)
        for row, text in enumerate(encoded):
            end = len(text.ids)
            ids[row, :end], mask[row, :end], types[row, :end] = text.ids, 1, text.type_ids
        given = {"input_ids": ids, "attention_mask": mask, "token_type_ids": types}
        (tokens,) = self._session.run([TOKENS], {key: given[key] for key in given.keys() & self._inputs})
        mean = (tokens * mask[:, :, None]).sum(axis=1) / mask.sum(axis=1, keepdims=True)
        return np.asarray(mean / np.linalg.norm(mean, axis=1, keepdims=True), np.float32)


def _longest_text(folder: Path) -> int | None:
    """How many tokens of a text count; None where the model does more with them than average."""
    modules = [str(module.get("type", "")).rpartition(".")[2] for module in _read(folder / "modules.json")]
    pooling = _read(folder / "1_Pooling/config.json")
    ways = [way for way, used in pooling.items() if way.startswith("pooling_mode_") and used]
    transformer = _read(folder / "sentence_bert_config.json")
    prompts = _read(folder / "config_sentence_transformers.json")
    plain = not transformer.get("do_lower_case") and not prompts.get("default_prompt_name")
    averaged = modules[:2] == ["Transformer", "Pooling"] and modules[2:] in ([], ["Normalize"])
    if not (plain and averaged and ways == ["pooling_mode_mean_tokens"]):
        return None
    return cast("int | None", transformer.get("max_seq_length"))


def _padding(folder: Path) -> str | None:
    """The token that fills up short texts."""
    token = _read(folder / "tokenizer_config.json").get("pad_token")
    return cast("str | None", token["content"] if isinstance(token, dict) else token)


def _read(path: Path) -> Any:
    return json.loads(path.read_text()) if path.is_file() else {}
