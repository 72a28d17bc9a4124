"""Give a sentence-transformers model the ONNX form that those on the hub have: it loads much faster.

Usage: python -m deploy.tools.export_embedder [FOLDER]; without one, the packaged model's.
"""

import os
import sys
from pathlib import Path

import torch
from transformers import AutoModel, AutoTokenizer

from app.engines import weights
from app.engines.embedder_onnx import MODEL, TOKENS

INPUTS = ["input_ids", "attention_mask", "token_type_ids"]


class Tokens(torch.nn.Module):
    """A transformer that gives nothing but its last layer."""

    def __init__(self, model: torch.nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, *given: torch.Tensor) -> torch.Tensor:
        """One vector a token: (texts, tokens, dimension)."""
        tokens: torch.Tensor = self.model(**dict(zip(INPUTS, given, strict=True)))[TOKENS]
        return tokens


def export(folder: Path) -> Path:
    """Write the model's ONNX form into its folder, whole or not at all."""
    model = AutoModel.from_pretrained(folder, attn_implementation="eager").eval()
    example = AutoTokenizer.from_pretrained(folder)(
        ["one text", "and a longer one"], padding=True, return_tensors="pt"
    )
    target = folder / MODEL
    target.parent.mkdir(exist_ok=True)
    partial = target.with_suffix(f".{os.getpid()}")
    any_shape = {name: {0: "texts", 1: "tokens"} for name in (*INPUTS, TOKENS)}
    torch.onnx.export(
        Tokens(model), tuple(example[name] for name in INPUTS), str(partial),
        input_names=INPUTS, output_names=[TOKENS], dynamic_axes=any_shape, opset_version=17, dynamo=False,
    )  # fmt: skip
    return partial.replace(target)


if __name__ == "__main__":
    print(export(Path(sys.argv[1]) if sys.argv[1:] else Path(weights.embedding("packaged").source)))
