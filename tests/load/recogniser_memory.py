"""The most memory that a recogniser's process takes, by the length of the video."""

from contextlib import ExitStack
from pathlib import Path

from app import config
from app.config import Config
from app.engines import weights
from tests.load.recording import join_clips, repeat
from tests.load.sides import await_end
from tests.load.tables import table
from tests.load.trees import peak_mb, recognisers
from tests.observed import eventually
from tests.services import fresh_broker, fresh_database
from tests.up import Production

MORE_MB = 500
PART_S = 600


def measure(folder: Path, *, minutes: tuple[int, ...] = (2, 20, 60)) -> list[str]:
    """Ingest ever longer videos by the production form's worker; its peaks as Markdown."""
    part = join_clips(folder / "part.m4a", PART_S)
    with ExitStack() as stack:
        url, broker = stack.enter_context(fresh_database()), stack.enter_context(fresh_broker())
        up = stack.enter_context(Production(folder / "data", database_url=url, broker_url=broker))
        supervisor = up.others["worker"].process.pid
        eventually(lambda: recognisers(supervisor))
        (pid,) = recognisers(supervisor)
        body = [("none yet", f"{peak_mb(pid):.0f}")]
        for length in minutes:
            sound = folder / f"{length}.m4a"
            if 60 * length < PART_S:
                join_clips(sound, 60 * length)
            else:
                repeat(sound, part, 60 * length // PART_S)
            await_end(up, up.client.upload(sound).job_id)
            body.append((f"{length} min", f"{peak_mb(pid):.0f}"))
        settings = Config.from_env(up.environment)
    model = Path(weights.whisper(config.use(settings).whisper_model, settings.data_dir).source) / "model.bin"
    model_mb, most = model.stat().st_size / 1e6, float(body[-1][1])
    verdict = (
        f"Peak of a recogniser's process that makes {settings.workers_asr.threads} recognitions at once: "
        f"**{most:.0f} MB**; target ≤ the model's {model_mb:.0f} MB and {MORE_MB} MB: "
        f"{'met' if most <= model_mb + MORE_MB else 'missed'}."
    )
    return [verdict, "", *table(("longest video so far", "peak, MB"), body)]
