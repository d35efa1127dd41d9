// Polynomial coefficients, lowest power first; written by tools/dev/minimax.py.
#pragma once

namespace inlay::math_expansion {

/// (e^r - 1 - r) / r^2, |r| <= ln(2) / 2: error 4.42e-9.
inline constexpr double kExpF32[] = {0x1.0000000000000p-1,  0x1.5555560000000p-3,
                                     0x1.5554e40000000p-5,  0x1.1110a80000000p-7,
                                     0x1.6d49260000000p-10, 0x1.a184ee0000000p-13};
/// (e^r - 1 - r) / r^2, |r| <= ln(2) / 2: error 3.27e-18.
inline constexpr double kExpF64[] = {
    0x1.0000000000000p-1,  0x1.5555555555555p-3,  0x1.5555555555557p-5,  0x1.1111111111113p-7,
    0x1.6c16c16c158f5p-10, 0x1.a01a01a0186f1p-13, 0x1.a01a01aa82a2bp-16, 0x1.71de3a5f55685p-19,
    0x1.27e4d283f0507p-22, 0x1.ae6419084db1ap-26, 0x1.1f820e0e19695p-29, 0x1.61dd283ad1450p-33};
/// (2^r - 1) / r, |r| <= 1/2: error 3.23e-9.
inline constexpr double kExp2F32[] = {
    0x1.62e4300000000p-1,  0x1.ebfbe00000000p-3,  0x1.c6b08e0000000p-5, 0x1.3b2a1a0000000p-7,
    0x1.5d874c0000000p-10, 0x1.4441440000000p-13, 0x1.00dd1a0000000p-16};
/// (2^r - 1) / r, |r| <= 1/2: error 2.73e-17.
inline constexpr double kExp2F64[] = {
    0x1.62e42fefa39efp-1,  0x1.ebfbdff82c58fp-3,  0x1.c6b08d704a0c0p-5,  0x1.3b2ab6fba4e7bp-7,
    0x1.5d87fe78a6735p-10, 0x1.430912f86abebp-13, 0x1.ffcbfc5888305p-17, 0x1.62c02246258d6p-20,
    0x1.b5253d4829aeep-24, 0x1.e4cf031ab0282p-28, 0x1.e8ca77d7c3480p-32, 0x1.c4b6afdbe0894p-36,
    0x1.82367060d7e19p-40};
/// (log((1 + s) / (1 - s)) / s - 2) / z, z = s^2: error 2.22e-8.
inline constexpr double kLogF32[] = {0x1.5555560000000p-1, 0x1.9999ee0000000p-2,
                                     0x1.245af00000000p-2, 0x1.de14a60000000p-3};
/// (log((1 + s) / (1 - s)) / s - 2) / z, z = s^2: error 3.7e-17.
inline constexpr double kLogF64[] = {
    0x1.5555555555555p-1, 0x1.9999999999a45p-2, 0x1.2492492474d79p-2, 0x1.c71c7204c12a0p-3,
    0x1.745cf79e20fb2p-3, 0x1.3b1c8076e3504p-3, 0x1.0fb6d34883d57p-3, 0x1.0c53d6d7396a8p-3};
/// ((log((1 + s) / (1 - s)) / (2 s) - 1) / z - 1/3) / z, z = s^2: error 1.12e-17.
inline constexpr double kPowerLogF64[] = {
    0x1.999999999999ap-3, 0x1.2492492492491p-3, 0x1.c71c71c71d091p-4,
    0x1.745d174506250p-4, 0x1.3b13b1c3de537p-4, 0x1.1110dd6e88f0ap-4,
    0x1.e1f8ba57367f4p-5, 0x1.ac39eccad07a6p-5, 0x1.b969398c30dcdp-5};
/// (sin(r) - r) / r^3 in z = r^2, |r| <= pi / 4: error 5.02e-9.
inline constexpr double kSinF32[] = {-0x1.5555560000000p-3, 0x1.11110e0000000p-7,
                                     -0x1.a013880000000p-13, 0x1.6db3cc0000000p-19};
/// (sin(r) - r) / r^3 in z = r^2, |r| <= pi / 4: error 9.31e-18.
inline constexpr double kSinF64[] = {
    -0x1.5555555555555p-3,  0x1.1111111111110p-7,  -0x1.a01a01a0198dfp-13, 0x1.71de3a5455d2ap-19,
    -0x1.ae6454002789bp-26, 0x1.6121705a62196p-33, -0x1.ab0f348302212p-41};
/// (cos(r) - 1 + z / 2) / z^2 in z = r^2, |r| <= pi / 4: error 1.24e-9.
inline constexpr double kCosF32[] = {0x1.5555560000000p-5, -0x1.6c16c00000000p-10,
                                     0x1.a015b00000000p-16, -0x1.251d720000000p-22};
/// (cos(r) - 1 + z / 2) / z^2 in z = r^2, |r| <= pi / 4: error 2.31e-18.
inline constexpr double kCosF64[] = {
    0x1.5555555555555p-5,  -0x1.6c16c16c16c16p-10, 0x1.a01a01a019ce3p-16, -0x1.27e4fb770e0bdp-22,
    0x1.1eed8de34e2ecp-29, -0x1.9394acf89d2c3p-37, 0x1.ab70adf3c085fp-45};
/// (atan(t) / t - 1) / z in z = t^2, |t| <= tan(pi / 8): error 1.85e-17.
inline constexpr double kAtanF64[] = {
    -0x1.5555555555555p-2, 0x1.9999999999996p-3, -0x1.249249249207cp-3, 0x1.c71c71c6dac54p-4,
    -0x1.745d1734a88f6p-4, 0x1.3b13ae8eca85ap-4, -0x1.1110cc7618ab9p-4, 0x1.e1d8a01cec152p-5,
    -0x1.aeba418664508p-5, 0x1.828a1fc52b009p-5, -0x1.4feed5da1b35dp-5, 0x1.f4820bc42618ep-6,
    -0x1.c523395690effp-7};
/// erf(a) / a - 1 in z = a^2, a <= 0.75: error 3.26e-9.
inline constexpr double kErfF32[] = {
    0x1.06eba80000000p-3, -0x1.8127460000000p-2,  0x1.ce2f000000000p-4, -0x1.b827160000000p-6,
    0x1.55e41c0000000p-8, -0x1.b630400000000p-11, 0x1.8d6e9a0000000p-14};
/// erf(a) / a - 1 in z = a^2, a <= 0.75: error 1.24e-17.
inline constexpr double kErfF64[] = {
    0x1.06eba8214db69p-3,  -0x1.812746b0379e7p-2,  0x1.ce2f21a042be1p-4,  -0x1.b82ce31288b16p-6,
    0x1.565bcd0e69263p-8,  -0x1.c02db3ffce4b4p-11, 0x1.f9a326dddae12p-14, -0x1.f4d257b11a698p-17,
    0x1.b9e6477dd6c84p-20, -0x1.5f6a24e23f64cp-23, 0x1.fbb91d3516412p-27, -0x1.48b8c9f14ae33p-30,
    0x1.3fe9aeb6ef065p-34};
/// (1 + 2a) exp(a^2) erfc(a) in t = (a - 3.75) / (a + 3.75): error 1.13e-16.
inline constexpr double kErfcF64[] = {
    0x1.3ccda0b5d5dc2p+0,  -0x1.1f367683f89a7p-3,  0x1.d5f2948159dc0p-9,   0x1.510169d0967c9p-4,
    -0x1.bda9309a28a0bp-4, 0x1.7a14188a9a572p-4,   -0x1.e0d0fa6dfb402p-5,  0x1.d0b0037d96761p-6,
    -0x1.3f603c351a502p-7, 0x1.cc3a0e49a7baep-10,  0x1.33fb2628cbe26p-12,  -0x1.303fa1f80887bp-12,
    0x1.b143f01fbc3d1p-15, 0x1.778b6bafe84a0p-16,  -0x1.8002e0dfda7cbp-17, -0x1.056225a7c4955p-20,
    0x1.d638e1228d151p-20, -0x1.e590092ab5e62p-25, -0x1.14fb565d1f752p-22, 0x1.7c097769a3a40p-26,
    0x1.3f8dc88bae2a0p-25, -0x1.821f83010e2acp-29, -0x1.0c523df368793p-28};
/// log(erfc(a)), 0.75 <= a <= 4.1, times erfc(a): error 1.96e-9.
inline constexpr double kLogErfcF32[] = {
    0x1.05b4360000000p-13, -0x1.2117480000000p+0, -0x1.448cc40000000p-1, -0x1.b8f61c0000000p-4,
    0x1.94a47c0000000p-6,  -0x1.0666500000000p-8, 0x1.a1f7160000000p-12, -0x1.2c04c60000000p-16};

} // namespace inlay::math_expansion
