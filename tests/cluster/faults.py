"""What may happen to several servers that are one, and to their brokers: kills, freezes, cut
links, full disks, clocks apart. By chance, counted, and ended again."""

import errno
import time

from disk import Disk
from nodes import Node


class FaultyNode(Node):
    """With a disk that may be full."""

    def __init__(self, *arguments, **settings):
        super().__init__(*arguments, **settings)
        self.disk = Disk(self.data_dir)
        self.env.update(self.disk.environment())
        self.set_clock(0)

    def close(self):
        super().close()
        self.disk.close()


class Fault:
    """Something that lasts: what ends it, and when."""

    def __init__(self, what, of, until, end):
        self.what, self.of, self.until, self.end = what, of, until, end


class Faults:
    """net: None where links cannot be cut. say: tells what is done."""

    def __init__(self, nodes, brokers, net, chance, say):
        self.nodes, self.brokers, self.net = nodes, brokers, net
        self.chance, self.say = chance, say
        self.lasting = []      # of class Fault
        self.starting = set()  # brokers
        self.clocks = {node.name: 0 for node in nodes}
        self.due = [event for event, _ in self.events()]  # each once, and then as it comes
        self.counts = {}  # of each event
        self.bites = dict.fromkeys(("packets on cut links", "packets on lossy links",
                                    "calls on full disks", "seconds between clocks"), 0)

    @property
    def over(self):
        return not self.lasting and not self.starting

    def events(self):
        """What may happen, and how often."""
        return [(self.kill_node, 5), (self.stop_node, 1), (self.freeze_node, 3),
                (self.kill_broker, 3), (self.stop_broker, 1), (self.freeze_broker, 2),
                (self.restart_brokers, 1), (self.fill_disk, 2), (self.set_clock, 1),
                (self.hand_over, 1), *self.events_of_links()]

    def events_of_links(self):
        return [(self.cut_both, 2), (self.cut_to, 2), (self.cut_from, 2),
                (self.lose_packets, 2)] if self.net else []

    def happen(self):
        """One of those that are due, or any where none can be done."""
        doing, weights = zip(*self.events())
        while True:
            event = self.chance.choice(self.due) \
                if self.due and self.chance.random() < 0.8 else \
                self.chance.choices(doing, weights)[0]
            leader = self.nodes.leader()
            of = event()
            if of is not None:
                if event in self.due:
                    self.due.remove(event)
                name = event.__name__
                self.counts[name] = self.counts.get(name, 0) + 1
                self.say(name, of, "while", leader.name if leader else "nobody", "leads")
                return
            time.sleep(0.05)
            self.look_after()

    def never(self):
        """What did not happen, or was for nothing."""
        return [event.__name__ for event, _ in self.events()
                if event.__name__ not in self.counts] + \
            [what for what, count in self.bites.items()
             if not count and (self.net or "links" not in what)]

    def look_after(self):
        """End what is over, and tell of what nobody did."""
        for fault in [one for one in self.lasting if one.until <= time.monotonic()]:
            self.lasting.remove(fault)
            fault.end()
        for number in set(self.starting):
            if self.brokers.answers(number):
                self.starting.remove(number)
            elif not self.brokers.alive(number):  # seen under load: it ends without a word
                self.brokers.spawn(number)
        meant = {fault.of for fault in self.lasting if fault.what == "node"}
        for node in self.nodes:
            if not node.up and node.name not in meant:
                raise AssertionError(f"{node.name} ended by itself, with "
                                     f"{node.process.returncode}: {node.tail()}")

    # What may happen. Each returns what was done, or None where it cannot be done now.

    def last(self, what, of, longest, end):
        self.lasting.append(Fault(
            what, of, time.monotonic() + self.chance.uniform(1, longest), end))
        return of

    def bite(self, what, count):
        self.bites[what] += count
        self.say(f"  {count} {what}")

    def has(self, *whats):
        return any(fault.what in whats for fault in self.lasting)

    def a_node(self):
        """Rather the leader, which most depends on."""
        up = [node for node in self.nodes if node.up and not node.frozen]
        leader = self.nodes.leader()
        return leader if leader and self.chance.random() < 0.6 else \
            self.chance.choice(up) if up else None

    def kill_node(self):
        node = self.a_node()
        if not node:
            return None
        node.kill()
        return self.last("node", node.name, 5, node.spawn)

    def stop_node(self):
        node = self.a_node()
        if not node:
            return None
        node.stop()
        return self.last("node", node.name, 5, node.spawn)

    def freeze_node(self):
        node = self.a_node()
        if not node or self.has("frozen node"):
            return None
        node.freeze()
        return self.last("frozen node", node.name, 11, node.thaw)

    def a_broker(self):
        """One at a time: two of three are needed."""
        if self.has("broker", "broker links") or self.starting:
            return None
        return self.chance.choice((1, 2, 3))

    def kill_broker(self):
        number = self.a_broker()
        if not number:
            return None
        self.brokers.kill(number)
        return self.last("broker", number, 12, lambda: self.restart_broker(number))

    def stop_broker(self):
        number = self.a_broker()
        if not number:
            return None
        self.brokers.terminate(number)
        return self.last("broker", number, 12, lambda: self.restart_broker(number))

    def restart_broker(self, number):
        if self.brokers.alive(number):
            self.brokers.kill(number)
        self.brokers.spawn(number)
        self.starting.add(number)

    def freeze_broker(self):
        number = self.a_broker()
        if not number:
            return None
        self.brokers.freeze(number)
        return self.last("broker", number, 12, lambda: self.brokers.thaw(number))

    def restart_brokers(self):
        """All at once, as where their power fails, but that the disks have all: they come
        back as they are killed."""
        if self.a_broker() is None:
            return None
        how = self.chance.choice((self.brokers.kill, self.brokers.terminate))
        for number in self.brokers.numbers:
            how(number)
        return self.last("broker", how.__name__, 3, lambda: [
            self.restart_broker(number) for number in self.brokers.numbers])

    def hand_over(self):
        leader = self.nodes.leader()
        others = [node for node in self.nodes if node.up and node is not leader]
        if not leader or not others:
            return None
        to = self.chance.choice(others)
        client = leader.client(timeout=10)
        try:
            answer = client.post("/admin/cluster/hand-over", {"node": to.name}).status
        except OSError as error:
            answer = error
        finally:
            client.close()
            leader.clients.remove(client)
        return f"to {to.name}: {answer}"

    def hurt_links(self, how):
        """Of a node to some brokers, or of a broker to the others."""
        brokers = ["k1", "k2", "k3"]
        one = self.chance.choice(["a", "b", "c"] * 2 + brokers)
        if self.has("links", "broker links") or (one in brokers and self.a_broker() is None):
            return None
        others = [name for name in brokers if name != one]
        others = self.chance.sample(others, self.chance.randint(1, len(others)))
        for other in others:
            if how == "lose":
                self.net.lose(one, other)
                self.net.lose(other, one)
            if how in ("to", "both"):
                self.net.cut(one, other)
            if how in ("from", "both"):
                self.net.cut(other, one)
        return self.last("broker links" if one in brokers else "links",
                         f"{one} {others}", 12, self.heal_links)

    def cut_both(self):
        return self.hurt_links("both")

    def cut_to(self):
        return self.hurt_links("to")

    def cut_from(self):
        return self.hurt_links("from")

    def lose_packets(self):
        return self.hurt_links("lose")

    def heal_links(self):
        self.net.heal()
        before = (self.bites["packets on cut links"], self.bites["packets on lossy links"])
        cut, lost = self.net.dropped()
        if cut > before[0]:
            self.bite("packets on cut links", cut - before[0])
        if lost > before[1]:
            self.bite("packets on lossy links", lost - before[1])

    def fill_disk(self):
        node = self.a_node()
        if not node or self.has("disk"):
            return None
        failed = node.disk.failed
        node.disk.fail("write", "sync", "meta", error=errno.ENOSPC)

        def heal():
            node.disk.heal()
            self.bite("calls on full disks", node.disk.failed - failed)
        return self.last("disk", node.name, 6, heal)

    def set_clock(self):
        node = self.chance.choice(self.nodes.all)
        seconds = self.chance.choice((-86400, -3600, -7, 0, 7, 3600, 86400))
        node.set_clock(seconds)
        self.clocks[node.name] = seconds
        apart = max(self.clocks.values()) - min(self.clocks.values())
        self.bites["seconds between clocks"] = max(
            apart, self.bites["seconds between clocks"])
        return f"{node.name} {seconds:+}"
