#!/usr/bin/env python3
"""Brings Daybook's dashboard into a Grafana, or the newer one in its place.

    GRAFANA_TOKEN=glsa_... import.py http://127.0.0.1:3000

The token is one of a service account that may edit (Administration, Service accounts). The
dashboard asks the Prometheus that it finds there by itself; how that is to ask Daybook is in
tools/deploy/prometheus/prometheus.yml.example.
"""

import json
import os
import sys
import urllib.error
import urllib.request

DASHBOARD = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..",
                         "tools/deploy/prometheus/grafana-dashboard.json")


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    with open(DASHBOARD, encoding="utf-8") as file:
        dashboard = json.load(file)
    dashboard["id"] = None  # Grafana's own number; which one it is, its uid says
    asked = urllib.request.Request(
        sys.argv[1].rstrip("/") + "/api/dashboards/db",
        json.dumps({"dashboard": dashboard, "overwrite": True,
                    "message": "Daybook's, as it is shipped"}).encode(),
        {"Content-Type": "application/json", "Accept": "application/json",
         "Authorization": "Bearer " + os.environ.get("GRAFANA_TOKEN", "")})
    try:
        with urllib.request.urlopen(asked, timeout=30) as answer:
            print(sys.argv[1].rstrip("/") + json.load(answer)["url"])
    except urllib.error.HTTPError as error:
        sys.exit(f"Grafana refuses it: {error.code} {error.read().decode(errors='replace')}")
    except OSError as error:
        sys.exit(f"There is no Grafana at {sys.argv[1]}: {error}")


if __name__ == "__main__":
    main()
