"""What can be measured, one part a file. Each takes the World and returns its rows."""

from parts.batch import batch
from parts.get import get
from parts.list import lists
from parts.post import post

ALL = {"post": post, "batch": batch, "get": get, "list": lists}
