"""Texts to vectors with the real packaged model, by onnxruntime and by sentence-transformers."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from app import config
from app.engines import embedder_onnx, weights
from app.engines.embedder import Embedder, SentenceTransformers, embedder
from app.engines.embedder_onnx import MODEL, OnnxEmbedder
from app.errors import ModelUnavailable
from tests.hub import hub

TEXTS = [
    f"The {thing} stood by the river for {years} years." for thing in ("mill", "inn") for years in range(20)
]


def load(model: str) -> Embedder:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(config, "_current", config.Config(embedding_model=model))
        return embedder()


def folder_of_it() -> Path:
    return Path(weights.embedding("packaged").source)


def without_onnx(folder: Path) -> Path:
    """The packaged model as such a folder, for sentence-transformers only."""
    return shutil.copytree(folder_of_it(), folder / "all-MiniLM-L6-v2", ignore=shutil.ignore_patterns("onnx"))


@pytest.fixture(scope="module", params=[OnnxEmbedder, SentenceTransformers])
def packaged(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Embedder:
    onnx = request.param is OnnxEmbedder
    found = load("packaged" if onnx else str(without_onnx(tmp_path_factory.mktemp("model"))))
    assert type(found) is request.param
    return found


def test_each_text_gets_a_vector_of_length_one(packaged: Embedder) -> None:
    vectors = packaged.embed(TEXTS)

    assert vectors.shape == (len(TEXTS), packaged.dimension) == (40, 384)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_no_texts_give_no_rows_of_the_right_width(packaged: Embedder) -> None:
    assert packaged.embed([]).shape == (0, 384)


def test_a_question_is_nearest_to_the_passage_that_answers_it(packaged: Embedder) -> None:
    passages = [
        "Printing with movable metal letters was invented in the middle of the fifteenth century.",
        "The sourdough has to rest overnight in a cool place before you bake it.",
        "Interest rates were raised again by the central bank in spring.",
    ]
    questions = [
        "When did people start to print books?",
        "How long must the dough stand?",
        "What did the bank do?",
    ]

    nearness = packaged.embed(questions) @ packaged.embed(passages).T

    assert nearness.argmax(axis=1).tolist() == [0, 1, 2]


def test_a_text_has_the_same_vector_whatever_stands_beside_it(packaged: Embedder) -> None:
    alone, among = packaged.embed(TEXTS[:1]), packaged.embed(["A much longer text. " * 30, *TEXTS])

    assert np.allclose(alone[0], among[1], atol=1e-5)


def test_texts_embedded_at_the_same_time_do_not_mix(packaged: Embedder) -> None:
    alone = [packaged.embed([text]) for text in TEXTS]

    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda text: packaged.embed([text]), TEXTS))

    assert np.allclose(alone, together, atol=1e-5)


def test_both_ways_give_the_same_vectors(tmp_path: Path) -> None:
    texts = [*TEXTS, "Longer than the model reads. " * 300, "Ünïcode – “quotes” 漢字 🎉", " x\n", "", "."]

    one, other = load("packaged").embed(texts), load(str(without_onnx(tmp_path))).embed(texts)

    assert np.allclose(one, other, atol=1e-5)


def test_the_model_is_loaded_once_and_named_as_on_the_hub() -> None:
    packaged = load("packaged")

    assert load("packaged") is packaged
    assert packaged.name == "sentence-transformers/all-MiniLM-L6-v2"


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("1_Pooling/config.json", lambda said: said | {"pooling_mode_mean_tokens": False}),
        ("1_Pooling/config.json", lambda said: said | {"pooling_mode_max_tokens": True}),
        ("sentence_bert_config.json", lambda said: said | {"do_lower_case": True}),
        ("sentence_bert_config.json", lambda said: {}),
        ("config_sentence_transformers.json", lambda said: said | {"default_prompt_name": "query"}),
        ("modules.json", lambda said: [*said, {"type": "sentence_transformers.models.Dense"}]),
        ("tokenizer_config.json", lambda said: said | {"pad_token": None}),
    ],
)
def test_what_does_more_than_average_is_left_to_sentence_transformers(
    name: str, change: Callable[..., object], tmp_path: Path
) -> None:
    folder = without_onnx(tmp_path)
    (folder / "onnx").mkdir()
    (folder / MODEL).symlink_to(folder_of_it() / MODEL)
    assert embedder_onnx.load("it", folder)

    (folder / name).write_text(json.dumps(change(json.loads((folder / name).read_text()))))

    assert embedder_onnx.load("it", folder) is None


def test_a_model_of_the_hub_comes_with_no_more_than_is_read(tmp_path: Path) -> None:
    code = (
        "from app.engines.embedder import embedder\n"
        "found = embedder(); print(type(found).__name__, found.name, found.embed(['a text']).shape)"
    )
    with hub(folder_of_it()) as server:
        asked = {
            **os.environ, "HF_ENDPOINT": server.url, "HF_HOME": str(tmp_path), "HF_HUB_OFFLINE": "0",
            "YTRAG_EMBEDDING_MODEL": "some/model",
        }  # fmt: skip
        command = [sys.executable, "-c", code]
        out = subprocess.run(command, env=asked, capture_output=True, text=True, check=True, timeout=180)
        assert MODEL in server.fetched
        assert "model.safetensors" not in server.fetched
    again = subprocess.run(command, env=asked, capture_output=True, text=True, check=True, timeout=180)

    assert out.stdout == again.stdout == "OnnxEmbedder some/model (1, 384)\n"
    assert not out.stderr.strip()


def test_a_model_that_is_only_on_a_hub_out_of_reach_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")

    with pytest.raises(ModelUnavailable, match=r"'nobody/no-such-model'.*hub did not answer"):
        load("nobody/no-such-model")


def test_naming_an_embedder_loads_no_model_library() -> None:
    heavy = "{'torch', 'onnxruntime', 'sentence_transformers'}"
    code = f"import app.engines.embedder, sys; print({heavy} & {{*sys.modules}})"

    out = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=180
    )

    assert out.stdout.strip() == "set()"
