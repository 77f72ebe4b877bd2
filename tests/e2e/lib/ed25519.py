"""Ed25519 (RFC 8032), for tests: slow, and in no constant time."""

import hashlib

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
NEUTRAL = (0, 1, 1, 0)  # points as X, Y, Z, T: x = X/Z, y = Y/Z, xy = T/Z


def _add(a, b):
    left = (a[1] - a[0]) * (b[1] - b[0]) % P
    right = (a[1] + a[0]) * (b[1] + b[0]) % P
    product = 2 * a[3] * b[3] * D % P
    scale = 2 * a[2] * b[2] % P
    e, f, g, h = right - left, scale - product, scale + product, right + left
    return e * f % P, g * h % P, f * g % P, e * h % P


def _times(number, point):
    total = NEUTRAL
    while number:
        if number & 1:
            total = _add(total, point)
        point = _add(point, point)
        number >>= 1
    return total


def _x_of(y, odd):
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    if (x * x - square) % P:
        raise ValueError("no point of the curve")
    return P - x if x & 1 != odd else x


def _pack(point):
    inverse = pow(point[2], P - 2, P)
    x, y = point[0] * inverse % P, point[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def _unpack(packed):
    number = int.from_bytes(packed, "little")
    y = number & (1 << 255) - 1
    x = _x_of(y, number >> 255)
    return x, y, 1, x * y % P


_Y = 4 * pow(5, P - 2, P) % P
BASE = (_x_of(_Y, 0), _Y, 1, _x_of(_Y, 0) * _Y % P)


def _hash(*parts):
    return int.from_bytes(hashlib.sha512(b"".join(parts)).digest(), "little")


def _expand(seed):
    digest = hashlib.sha512(seed).digest()
    secret = int.from_bytes(digest[:32], "little") & (1 << 254) - 8 | 1 << 254
    return secret, digest[32:]


def public_key(seed):
    return _pack(_times(_expand(seed)[0], BASE))


def sign(seed, message):
    secret, prefix = _expand(seed)
    public = _pack(_times(secret, BASE))
    nonce = _hash(prefix, message) % ORDER
    commitment = _pack(_times(nonce, BASE))
    challenge = _hash(commitment, public, message) % ORDER
    return commitment + ((nonce + challenge * secret) % ORDER).to_bytes(32, "little")


def verify(public, signature, message):
    answer = int.from_bytes(signature[32:], "little")
    if len(signature) != 64 or answer >= ORDER:
        return False
    challenge = _hash(signature[:32], public, message) % ORDER
    try:
        expected = _add(_unpack(signature[:32]), _times(challenge, _unpack(public)))
    except ValueError:
        return False
    return _pack(_times(answer, BASE)) == _pack(expected)
