#!/usr/bin/env bash
# Orthanc calls a cine of several slices complete when one slice has arrived, and inconsistent at the end.
#
# Version:   Orthanc 1.10.1 (Debian), without plugins.
# Input:     a cine of 4 slices and 6 phases in one series, instance numbers 1 to 24, sent in this order.
#            CardiacNumberOfImages is 6: the attribute counts the images of a heart beat, here those of one slice.
# Behaviour: Orthanc takes CardiacNumberOfImages for the number of images in the series. After 6 of 24 images the series
#            has the status "Complete", and the event "CompletedSeries" goes out, for which scripts and plugins wait.
#            From the seventh image on the status is "Inconsistent", and stays so when all 24 are there.
# Seen:      Missing up to image 5, Complete at image 6, Inconsistent from image 7 to 24; 1 event, after 6 of 24 images
# What to do: start no measurement at CompletedSeries. Wait for StableSeries, and count slices and phases oneself.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
command -v Orthanc > /dev/null || { echo "Orthanc is missing: apt-get install orthanc" >&2; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q pydicom==3.0.2 numpy==2.4.6
cd "$work"
cat > finding.py <<'PYTHON'
import json
import socket
import subprocess
import time
from pathlib import Path
from urllib.request import urlopen

from mr_image import write_cine

SLICES, PHASES, START_S = 4, 6, 30
SEEN = ["Missing"] * (PHASES - 1) + ["Complete"] + ["Inconsistent"] * ((SLICES - 1) * PHASES)


def ask(path: str, body: bytes | None = None) -> dict:
    with urlopen(f"http://127.0.0.1:{port}{path}", body) as answer:
        return json.load(answer)


def wait_for_start() -> None:
    end = time.monotonic() + START_S
    while True:
        try:
            print("Orthanc", ask("/system")["Version"])
            return
        except OSError:
            if server.poll() is not None or time.monotonic() > end:
                raise
            time.sleep(0.2)


with socket.socket() as free:
    free.bind(("127.0.0.1", 0))
    port = free.getsockname()[1]
settings = {"HttpPort": port, "RemoteAccessAllowed": False, "DicomServerEnabled": False, "Plugins": []}
settings |= {"StorageDirectory": "stored", "IndexDirectory": "stored"}
Path("orthanc.json").write_text(json.dumps(settings))
write_cine(Path("cine"), SLICES, PHASES, slice_by_slice=True)
statuses, images_at_event = [], []
with Path("orthanc.log").open("w") as log:
    server = subprocess.Popen(["Orthanc", "orthanc.json"], stdout=log, stderr=subprocess.STDOUT)
try:
    wait_for_start()
    for count, path in enumerate(sorted(Path("cine").iterdir()), 1):
        series = ask("/series/" + ask("/instances", path.read_bytes())["ParentSeries"])
        assert len(series["Instances"]) == count
        statuses.append(series["Status"])
        events = [change["ChangeType"] for change in ask("/changes?limit=1000")["Changes"]].count("CompletedSeries")
        images_at_event += [count] * (events - len(images_at_event))
finally:
    server.terminate()
    server.wait()
for status in dict.fromkeys(statuses):
    images = [count for count, other in enumerate(statuses, 1) if other == status]
    print(f"{status}: images {images[0]} to {images[-1]} of {len(statuses)}")
print("CompletedSeries after image", images_at_event)
assert (statuses, images_at_event) == (SEEN, [PHASES]), "Orthanc counts the images of a cine in another way now"
print("as described: complete with one slice of four")
PYTHON
PYTHONPATH=$here "$work/venv/bin/python" finding.py
