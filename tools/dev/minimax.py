#!/usr/bin/env python3
"""Computes the polynomial coefficients of compiler/conversions/math/Coefficients.h.

Usage: minimax.py > compiler/conversions/math/Coefficients.h. Needs mpmath; takes about a minute.
Each row of TABLES is one function on one interval, with a degree for f32, f64 or both. The polynomial is the one of least
largest error (Remez exchange); the error after rounding the coefficients is printed beside the table.
"""
import mpmath as mp

mp.mp.dps = 100


def log_series(s):
    """log((1 + s) / (1 - s)) / s."""
    return 2 * mp.atanh(s) / s if s else mp.mpf(2)


def nonzero(function, low):
    """The function with its removable singularity at 0 stepped over."""
    tiny = mp.mpf(10) ** -30
    return lambda x: function(x if abs(x) > tiny else tiny)


def scaled_erfc(t, center):
    """(1 + 2a) exp(a^2) erfc(a) for a = center (1 + t) / (1 - t)."""
    a = center * (1 + t) / (1 - t)
    return (1 + 2 * a) * mp.exp(a * a) * mp.erfc(a)


LN2 = mp.log(2)
REDUCED = LN2 / 2 * mp.mpf("1.01")
LOG_Z = ((mp.sqrt(2) - 1) / (mp.sqrt(2) + 1)) ** 2 * mp.mpf("1.01")
QUARTER = (mp.pi / 4) ** 2 * mp.mpf("1.01")
ATAN_Z = (mp.sqrt(2) - 1) ** 2 * mp.mpf("1.01")
ERF_SPLIT = mp.mpf("0.75")
ERFC_CENTER = mp.mpf("3.75")


def erfc_range(largest):
    low = mp.mpf("0.45")
    return ((low - ERFC_CENTER) / (low + ERFC_CENTER), (largest - ERFC_CENTER) / (largest + ERFC_CENTER))


def erfc(t):
    return scaled_erfc(t, ERFC_CENTER)


# Errors that count as so many times larger.
WEIGHTS = {"LogErfc": mp.erfc}


# name, what, function, interval, {type: degree}
TABLES = [
    ("Exp", "(e^r - 1 - r) / r^2, |r| <= ln(2) / 2", lambda r: (mp.expm1(r) - r) / r**2, (-REDUCED, REDUCED), {32: 5, 64: 11}),
    ("Exp2", "(2^r - 1) / r, |r| <= 1/2", lambda r: mp.expm1(r * LN2) / r, (mp.mpf("-0.501"), mp.mpf("0.501")), {32: 6, 64: 12}),
    ("Log", "(log((1 + s) / (1 - s)) / s - 2) / z, z = s^2", lambda z: (log_series(mp.sqrt(z)) - 2) / z, (0, LOG_Z), {32: 3, 64: 7}),
    ("PowerLog", "((log((1 + s) / (1 - s)) / (2 s) - 1) / z - 1/3) / z, z = s^2",
     lambda z: ((log_series(mp.sqrt(z)) / 2 - 1) / z - mp.mpf(1) / 3) / z, (0, LOG_Z), {64: 8}),
    ("Sin", "(sin(r) - r) / r^3 in z = r^2, |r| <= pi / 4", lambda z: (mp.sin(mp.sqrt(z)) - mp.sqrt(z)) / mp.sqrt(z) ** 3, (0, QUARTER), {32: 3, 64: 6}),
    ("Cos", "(cos(r) - 1 + z / 2) / z^2 in z = r^2, |r| <= pi / 4", lambda z: (mp.cos(mp.sqrt(z)) - 1 + z / 2) / z**2, (0, QUARTER), {32: 3, 64: 6}),
    ("Atan", "(atan(t) / t - 1) / z in z = t^2, |t| <= tan(pi / 8)", lambda z: (mp.atan(mp.sqrt(z)) / mp.sqrt(z) - 1) / z, (0, ATAN_Z), {64: 12}),
    ("Erf", "erf(a) / a - 1 in z = a^2, a <= 0.75", lambda z: mp.erf(mp.sqrt(z)) / mp.sqrt(z) - 1, (0, ERF_SPLIT**2), {32: 6, 64: 12}),
    ("Erfc", "(1 + 2a) exp(a^2) erfc(a) in t = (a - 3.75) / (a + 3.75)", erfc, None, {64: 22}),
    ("LogErfc", "log(erfc(a)), 0.75 <= a <= 4.1, times erfc(a)", lambda a: mp.log(mp.erfc(a)), (ERF_SPLIT, mp.mpf("4.1")), {32: 7}),
]


def remez(function, low, high, degree, weight):
    """Coefficients of the minimax polynomial, lowest power first, of errors times `weight`."""
    count = degree + 2
    middle, half = (low + high) / 2, (high - low) / 2
    nodes = [middle - half * mp.cos(mp.pi * i / (count - 1)) for i in range(count)]
    samples = [middle - half * mp.cos(mp.pi * i / (40 * count)) for i in range(40 * count + 1)]
    values = [function(x) for x in samples]
    for _ in range(8):
        # In u = (x - middle) / half the system is well conditioned.
        rows = mp.matrix(count, count)
        right = mp.matrix(count, 1)
        for i, x in enumerate(nodes):
            u = (x - middle) / half
            for j in range(degree + 1):
                rows[i, j] = u**j
            rows[i, degree + 1] = (-1) ** i / weight(x)
            right[i] = function(x)
        solution = mp.lu_solve(rows, right)
        inner = [solution[j] for j in range(degree + 1)]
        errors = [(v - mp.polyval(inner[::-1], (x - middle) / half)) * weight(x) for x, v in zip(samples, values)]
        # The largest error of each run of one sign.
        extremes = []
        for x, error in zip(samples, errors):
            if extremes and (error > 0) == (extremes[-1][1] > 0):
                if abs(error) > abs(extremes[-1][1]):
                    extremes[-1] = (x, error)
            else:
                extremes.append((x, error))
        while len(extremes) > count:
            extremes.pop(0 if abs(extremes[0][1]) < abs(extremes[-1][1]) else -1)
        if len(extremes) < count:
            break
        nodes = [x for x, _ in extremes]
    coefficients = [mp.mpf(0)] * (degree + 1)
    power = [mp.mpf(1)]
    for c in inner:
        for i, p in enumerate(power):
            coefficients[i] += c * p
        shifted = [mp.mpf(0)] * (len(power) + 1)
        for i, p in enumerate(power):
            shifted[i + 1] += p / half
            shifted[i] -= p * middle / half
        power = shifted
    return coefficients


def rounded(value, bits):
    with mp.workprec(24 if bits == 32 else 53):
        return +value


def hexadecimal(value):
    return float(value).hex()


def emit(name, what, function, interval, bits, degree):
    low, high = interval if interval else erfc_range(mp.mpf("27.5"))
    low, high = mp.mpf(low), mp.mpf(high)
    safe = nonzero(function, low)
    weight = WEIGHTS.get(name, lambda x: mp.mpf(1))
    coefficients = [rounded(c, bits) for c in remez(safe, low, high, degree, weight)]
    worst = max(abs(safe(x) - mp.polyval(coefficients[::-1], x)) * weight(x) for x in (low + (high - low) * i / 500 for i in range(501)))
    print(f"/// {what}: error {mp.nstr(worst, 3)}.")
    print(f"inline constexpr double k{name}F{bits}[] = {{{', '.join(hexadecimal(c) for c in coefficients)}}};")


print("// Polynomial coefficients, lowest power first; written by tools/dev/minimax.py.\n#pragma once\n\nnamespace inlay::math_expansion {\n")
for name, what, function, interval, degrees in TABLES:
    for bits, degree in degrees.items():
        emit(name, what, function, interval, bits, degree)
print("\n} // namespace inlay::math_expansion")
