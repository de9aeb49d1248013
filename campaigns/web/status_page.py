"""One small page for a browser on this machine: every campaign in a table, renewed every two seconds."""

from fastapi import APIRouter, Response

router = APIRouter()

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Ringfence</title>
<style>
  body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem; color: #222; background: #fff; }
  table { border-collapse: collapse; }
  th, td { text-align: left; padding: .3rem 1rem .3rem 0; border-bottom: 1px solid #ddd; }
  td.n { text-align: right; font-variant-numeric: tabular-nums; }
  @media (prefers-color-scheme: dark) { body { color: #ddd; background: #111; } th, td { border-color: #333; } }
</style>
<h1>Ringfence</h1>
<p id="note" role="status">loading …</p>
<table><thead><tr><th>campaign<th>state<th>campaign clock<th>final<th>calls<th>dials<th>per second<th>in flight
<th>unknown fate<th>held by</tr></thead><tbody id="rows"></tbody></table>
<script>
  const cell = (row, text, number) => {
    const td = row.insertCell();
    td.textContent = text;
    if (number) td.className = "n";
  };
  const show = (each) => {
    const row = document.createElement("tr");
    const calls = Object.values(each.by_state).reduce((sum, count) => sum + count, 0);
    cell(row, each.campaign);
    cell(row, each.finished ? "finished" : each.state);
    cell(row, each.campaign_at.slice(0, 16).replace("T", " ") + (each.rehearsal ? " ×" + each.clock_speed : ""));
    for (const n of [each.final, calls, each.dials, each.pace.toFixed(1), each.in_flight, each.unknown]) {
      cell(row, n, true);
    }
    cell(row, each.held_by ?? "");
    return row;
  };
  const refresh = async () => {
    const note = document.getElementById("note");
    try {
      const reply = await fetch("/api/campaigns");
      if (!reply.ok) throw new Error("HTTP " + reply.status);
      const { campaigns } = await reply.json();
      document.getElementById("rows").replaceChildren(...campaigns.map(show));
      note.textContent = campaigns.length ? "" : "no campaign yet: ringfence submit FILE";
    } catch (error) {
      note.textContent = "no answer: " + error.message;
    }
    setTimeout(refresh, 2000);
  };
  refresh();
</script>
</html>
"""

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
}


@router.get("/")
def page() -> Response:
    """The page; it asks `/api/campaigns` of this very server and nothing else."""
    return Response(_PAGE, media_type="text/html; charset=utf-8", headers=_HEADERS)
