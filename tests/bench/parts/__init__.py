"""What can be measured, one part a file. Each takes the World and returns its rows."""

from parts.batch import batch
from parts.catchup import catchup
from parts.cluster import cluster
from parts.export import export
from parts.get import get
from parts.growth import growth
from parts.imported import imported
from parts.lag import lag
from parts.list import lists
from parts.persons import persons
from parts.post import post
from parts.projection import projection
from parts.proofs import proofs
from parts.rebuild import rebuild
from parts.resident import resident
from parts.sealed import sealed
from parts.start import start
from parts.streams import streams

ALL = {"post": post, "batch": batch, "get": get, "list": lists, "persons": persons,
       "lag": lag, "projection": projection, "streams": streams, "proofs": proofs,
       "catchup": catchup, "export": export, "import": imported, "rebuild": rebuild,
       "start": start, "sealed": sealed, "cluster": cluster, "memory": resident,
       "growth": growth}
