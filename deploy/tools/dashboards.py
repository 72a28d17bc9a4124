"""Makes grafana/dashboards from the boards: python -m deploy.tools.dashboards; a test fails on drift."""

from grafana_foundation_sdk.builders import common, prometheus, stat, timeseries
from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import common as words
from grafana_foundation_sdk.models.dashboard import (
    DashboardCursorSync,
    DashboardLink,
    DashboardLinkType,
    DataSourceRef,
    GridPos,
)

from deploy.tools.boards import api, overview, platform, queues, stages
from deploy.tools.panels import Board, Panel
from deploy.tools.rules import ROOT

BOARDS = (overview.OVERVIEW, queues.QUEUES, stages.STAGES, api.API, platform.PLATFORM)
FOLDER = ROOT / "grafana/dashboards"
TAG = "youtube-rag"
SOURCE = DataSourceRef(type_val="prometheus", uid="${datasource}")
WIDTH, STAT_WIDTH, STAT_HEIGHT, HEIGHT = 24, 4, 4, 8


def main() -> None:
    """Write every dashboard."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, text in files().items():
        (FOLDER / name).write_text(text, encoding="utf-8")


def files() -> dict[str, str]:
    """Each dashboard's JSON by its file's name."""
    return {f"{board.uid}.json": dashboard(board) for board in BOARDS}


def dashboard(board: Board) -> str:
    """The dashboard as Grafana reads it."""
    made = (
        build.Dashboard(f"youtube-rag: {board.title}")
        .uid(board.uid)
        .description(board.about)
        .tags([TAG])
        .readonly()
        .refresh("30s")
        .time("now-6h", "now")
        .timezone("browser")
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .with_variable(build.DatasourceVariable("datasource").label("Data source").type("prometheus"))
        .with_variable(
            build.TextBoxVariable("house").label("youtube-rag").default_value("http://127.0.0.1:8000")
        )
        .with_variable(
            build.TextBoxVariable("docs")
            .label("Docs")
            .description("Where your copy of the folder docs can be read.")
            .default_value("https://example.org/youtube-rag/docs")
        )
        .link(
            build.DashboardLink("youtube-rag")
            .type(DashboardLinkType.DASHBOARDS)
            .tags([TAG])
            .keep_time(keep_time=True)
        )
        .link(_outside("Jobs and messages", "${house}/dramatiq"))
        .link(_outside("Runbooks", "${docs}/runbooks"))
    )
    for number, (panel, place) in enumerate(zip(board.panels, places(board.panels), strict=True), start=1):
        made = made.with_panel((_stat(panel) if panel.is_stat else _series(panel)).id(number).grid_pos(place))
    return JSONEncoder(indent=2, sort_keys=True).encode(made.build()) + "\n"


def places(panels: tuple[Panel, ...]) -> list[GridPos]:
    """Numbers in a row on top, then curves in pairs."""
    numbers = sum(panel.is_stat for panel in panels)
    top = STAT_HEIGHT * -(-numbers * STAT_WIDTH // WIDTH)
    found = []
    for index in range(len(panels)):
        if index < numbers:
            row, column = divmod(index * STAT_WIDTH, WIDTH)
            found.append(GridPos(h=STAT_HEIGHT, w=STAT_WIDTH, x=column, y=row * STAT_HEIGHT))
        else:
            row, column = divmod(index - numbers, 2)
            found.append(GridPos(h=HEIGHT, w=WIDTH // 2, x=column * WIDTH // 2, y=top + row * HEIGHT))
    return found


def _outside(title: str, url: str) -> build.DashboardLink:
    return build.DashboardLink(title).type(DashboardLinkType.LINK).url(url).target_blank(target_blank=True)


def _stat(panel: Panel) -> stat.Panel:
    shown = (
        stat.Panel()
        .title(panel.title)
        .description(panel.about)
        .datasource(SOURCE)
        .unit(panel.unit)
        .links(_links(panel))
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
        .graph_mode(words.BigValueGraphMode.AREA)
    )
    for query in _queries(panel):
        shown = shown.with_target(query)
    return shown


def _series(panel: Panel) -> timeseries.Panel:
    legend = (
        common.VizLegendOptions()
        .show_legend(show_legend=True)
        .display_mode(words.LegendDisplayMode.TABLE)
        .placement(words.LegendPlacement.RIGHT)
        .calcs(["lastNotNull", "max"])
    )
    shown = (
        timeseries.Panel()
        .title(panel.title)
        .description(panel.about)
        .datasource(SOURCE)
        .unit(panel.unit)
        .min(0)
        .links(_links(panel))
        .legend(legend)
        .fill_opacity(25 if panel.stacked else 5)
        .show_points(words.VisibilityMode.NEVER)
    )
    if panel.stacked:
        shown = shown.stacking(common.StackingConfig().mode(words.StackingMode.NORMAL))
    for query in _queries(panel):
        shown = shown.with_target(query)
    return shown


def _queries(panel: Panel) -> list[prometheus.Dataquery]:
    return [
        prometheus.Dataquery()
        .ref_id(chr(ord("A") + number))
        .datasource(SOURCE)
        .expr(query)
        .legend_format(legend)
        .range()
        for number, (legend, query) in enumerate(panel.queries.items())
    ]


def _links(panel: Panel) -> list[Builder[DashboardLink]]:
    return [_outside(panel.runbook, f"${{docs}}/runbooks/{panel.runbook}.md")] if panel.runbook else []


if __name__ == "__main__":
    main()
