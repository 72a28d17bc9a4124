"""Texts to vectors with the real packaged model."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from app import config
from app.engines.embedder import Embedder, embedder
from app.errors import ModelUnavailable

TEXTS = [
    f"The {thing} stood by the river for {years} years." for thing in ("mill", "inn") for years in range(20)
]


def load(model: str) -> Embedder:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(config, "_current", config.Config(embedding_model=model))
        return embedder()


@pytest.fixture(scope="module")
def packaged() -> Embedder:
    return load("packaged")


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


def test_the_model_is_loaded_once_and_named_as_on_the_hub(packaged: Embedder) -> None:
    assert load("packaged") is packaged
    assert packaged.name == "sentence-transformers/all-MiniLM-L6-v2"


def test_a_model_that_is_only_on_a_hub_out_of_reach_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")

    with pytest.raises(ModelUnavailable, match=r"'nobody/no-such-model'.*hub did not answer"):
        load("nobody/no-such-model")


def test_naming_an_embedder_loads_no_model_library() -> None:
    code = "import app.engines.embedder, sys; print({'torch', 'sentence_transformers'} & {*sys.modules})"

    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)

    assert out.stdout.strip() == "set()"
