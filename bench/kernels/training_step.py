"""A kernel of about 300 lines, to measure compile time with: for a row of a network's activations normalisation, rotary embedding,
gates, a softmax with its loss and gradient, statistics, quantization and a step of two optimizers."""
import triton
import triton.language as tl


@triton.jit
def training_step(x_ptr, residual_ptr, gain_ptr, bias_ptr, cos_ptr, sin_ptr, gate_ptr, up_ptr, logits_ptr, target_ptr, weight_ptr,
                  gradient_ptr, momentum_ptr, variance_ptr, master_ptr, normed_ptr, rotated_ptr, gated_ptr, probabilities_ptr,
                  loss_ptr, statistics_ptr, quantized_ptr, scale_ptr, rank_ptr, total_ptr, columns, row_step, classes, step, rate,
                  beta1, beta2, epsilon, decay, smoothing, keep, seed, BLOCK: tl.constexpr, HALF: tl.constexpr,
                  CLASSES: tl.constexpr, GROUP: tl.constexpr, ACTIVATION: tl.constexpr, CENTERED: tl.constexpr):
    row = tl.program_id(0)
    start = row.to(tl.int64) * row_step
    at = tl.arange(0, BLOCK)
    inside = at < columns

    # The residual stream, with dropout on what is added.
    x = tl.load(x_ptr + start + at, mask=inside, other=0.0).to(tl.float32)
    residual = tl.load(residual_ptr + start + at, mask=inside, other=0.0).to(tl.float32)
    random = tl.rand(seed, row * BLOCK + at)
    is_kept = random < keep
    dropped = tl.where(is_kept, x / keep, 0.0)
    stream = residual + dropped
    stream = tl.where(inside, stream, 0.0)
    tl.store(residual_ptr + start + at, stream, mask=inside)

    # Normalisation, by the root of the mean square or by mean and variance.
    gain = tl.load(gain_ptr + at, mask=inside, other=0.0).to(tl.float32)
    if CENTERED:
        bias = tl.load(bias_ptr + at, mask=inside, other=0.0).to(tl.float32)
        mean = tl.sum(stream, axis=0) / columns
        centered = tl.where(inside, stream - mean, 0.0)
        deviation = tl.sum(centered * centered, axis=0) / columns
        inverse = tl.rsqrt(deviation + epsilon)
        normed = centered * inverse * gain + bias
    else:
        mean = 0.0
        mean_square = tl.sum(stream * stream, axis=0) / columns
        inverse = tl.rsqrt(mean_square + epsilon)
        normed = stream * inverse * gain
    normed = tl.where(inside, normed, 0.0)
    tl.store(normed_ptr + start + at, normed, mask=inside)
    tl.debug_barrier()

    # Rotary embedding: the halves of each pair lie HALF apart.
    lane = tl.arange(0, HALF)
    first_at = start + lane
    second_at = start + HALF + lane
    has_first = lane < columns
    has_second = HALF + lane < columns
    first = tl.load(normed_ptr + first_at, mask=has_first, other=0.0)
    second = tl.load(normed_ptr + second_at, mask=has_second, other=0.0)
    first = first.to(tl.float32)
    second = second.to(tl.float32)
    cosine = tl.load(cos_ptr + row * HALF + lane, mask=has_first, other=1.0).to(tl.float32)
    sine = tl.load(sin_ptr + row * HALF + lane, mask=has_first, other=0.0).to(tl.float32)
    turned_first = first * cosine - second * sine
    turned_second = second * cosine + first * sine
    tl.store(rotated_ptr + first_at, turned_first, mask=has_first)
    tl.store(rotated_ptr + second_at, turned_second, mask=has_second)
    length_before = tl.sum(first * first + second * second, axis=0)
    length_after = tl.sum(turned_first * turned_first + turned_second * turned_second, axis=0)
    drift = tl.abs(length_after - length_before) / tl.maximum(length_before, epsilon)

    # The gate of a feed-forward layer and its derivative.
    gate = tl.load(gate_ptr + start + at, mask=inside, other=0.0).to(tl.float32)
    up = tl.load(up_ptr + start + at, mask=inside, other=0.0).to(tl.float32)
    if ACTIVATION == "silu":
        sigmoid = 1.0 / (1.0 + tl.exp(-gate))
        active = gate * sigmoid
        slope = sigmoid * (1.0 + gate * (1.0 - sigmoid))
    elif ACTIVATION == "gelu":
        half_erf = 0.5 * tl.erf(gate * 0.7071067811865476)
        active = gate * (0.5 + half_erf)
        slope = 0.5 + half_erf + gate * 0.3989422804014327 * tl.exp(-0.5 * gate * gate)
    elif ACTIVATION == "gelu_tanh":
        inner = 0.7978845608028654 * (gate + 0.044715 * gate * gate * gate)
        doubled = tl.exp(2.0 * tl.minimum(inner, 15.0))
        tangent = (doubled - 1.0) / (doubled + 1.0)
        active = 0.5 * gate * (1.0 + tangent)
        inner_slope = 0.7978845608028654 * (1.0 + 0.134145 * gate * gate)
        slope = 0.5 * (1.0 + tangent) + 0.5 * gate * (1.0 - tangent * tangent) * inner_slope
    else:
        active = tl.maximum(gate, 0.0)
        slope = tl.where(gate > 0.0, 1.0, 0.0)
    gated = active * up
    tl.store(gated_ptr + start + at, gated, mask=inside)
    gate_energy = tl.sum(tl.where(inside, gated * gated, 0.0), axis=0)
    gate_largest = tl.max(tl.where(inside, tl.abs(gated), 0.0), axis=0)
    gate_zeros = tl.sum(tl.where(inside & (active <= 0.0), 1, 0), axis=0)
    slope_mean = tl.sum(tl.where(inside, slope, 0.0), axis=0) / columns

    # The softmax of the logits in two passes over blocks of classes: greatest value and sum first.
    class_at = tl.arange(0, CLASSES)
    logits_start = row.to(tl.int64) * classes
    greatest = float("-inf")
    total = 0.0
    weighted = 0.0
    summed = 0.0
    for begin in range(0, classes, CLASSES):
        index = begin + class_at
        is_class = index < classes
        logits = tl.load(logits_ptr + logits_start + index, mask=is_class, other=float("-inf"))
        logits = logits.to(tl.float32)
        block_greatest = tl.max(logits, axis=0)
        new_greatest = tl.maximum(greatest, block_greatest)
        correction = tl.exp(greatest - new_greatest)
        weights = tl.exp(logits - new_greatest)
        weights = tl.where(is_class, weights, 0.0)
        finite = tl.where(is_class, logits, 0.0)
        total = total * correction + tl.sum(weights, axis=0)
        weighted = weighted * correction + tl.sum(weights * finite, axis=0)
        summed += tl.sum(finite, axis=0)
        greatest = new_greatest
    log_total = tl.log(total) + greatest
    entropy = log_total - weighted / total

    # Loss with smoothed targets; the gradient takes the probabilities' place.
    target = tl.load(target_ptr + row)
    is_counted = target >= 0
    safe_target = tl.where(is_counted, target, 0)
    target_logit = tl.load(logits_ptr + logits_start + safe_target).to(tl.float32)
    exact_loss = log_total - target_logit
    uniform_loss = log_total - summed / classes
    loss = (1.0 - smoothing) * exact_loss + smoothing * uniform_loss
    loss = tl.where(is_counted, loss, 0.0)
    tl.store(loss_ptr + row, loss)
    best_value = float("-inf")
    best_class = 0
    gradient_norm = 0.0
    confident = 0
    for begin in range(0, classes, CLASSES):
        index = begin + class_at
        is_class = index < classes
        logits = tl.load(logits_ptr + logits_start + index, mask=is_class, other=float("-inf"))
        logits = logits.to(tl.float32)
        probabilities = tl.exp(logits - log_total)
        is_target = index == safe_target
        wanted = tl.where(is_target, 1.0 - smoothing, 0.0) + smoothing / classes
        difference = probabilities - wanted
        difference = tl.where(is_class & is_counted, difference, 0.0)
        tl.store(probabilities_ptr + logits_start + index, difference, mask=is_class)
        gradient_norm += tl.sum(difference * difference, axis=0)
        confident += tl.sum(tl.where(probabilities > 0.1, 1, 0), axis=0)
        block_best = tl.max(logits, axis=0)
        block_class = begin + tl.argmax(logits, axis=0)
        is_better = block_best > best_value
        best_class = tl.where(is_better, block_class, best_class)
        best_value = tl.where(is_better, block_best, best_value)
    is_right = tl.where(best_class == safe_target, 1.0, 0.0)
    is_right = tl.where(is_counted, is_right, 0.0)

    # Statistics of the row, gathered over all rows.
    skewness_sum = tl.sum(normed * normed * normed, axis=0)
    kurtosis_sum = tl.sum(normed * normed * normed * normed, axis=0)
    smallest = tl.min(tl.where(inside, normed, float("inf")), axis=0)
    largest = tl.max(tl.where(inside, normed, float("-inf")), axis=0)
    tl.store(statistics_ptr + row * 12 + 0, mean)
    tl.store(statistics_ptr + row * 12 + 1, inverse)
    tl.store(statistics_ptr + row * 12 + 2, drift)
    tl.store(statistics_ptr + row * 12 + 3, gate_energy)
    tl.store(statistics_ptr + row * 12 + 4, gate_largest)
    tl.store(statistics_ptr + row * 12 + 5, gate_zeros.to(tl.float32))
    tl.store(statistics_ptr + row * 12 + 6, slope_mean)
    tl.store(statistics_ptr + row * 12 + 7, entropy)
    tl.store(statistics_ptr + row * 12 + 8, skewness_sum / columns)
    tl.store(statistics_ptr + row * 12 + 9, kurtosis_sum / columns)
    tl.store(statistics_ptr + row * 12 + 10, smallest)
    tl.store(statistics_ptr + row * 12 + 11, largest)
    tl.atomic_add(total_ptr + 0, loss)
    tl.atomic_add(total_ptr + 1, is_right)
    tl.atomic_add(total_ptr + 2, gradient_norm)
    tl.atomic_add(total_ptr + 3, confident.to(tl.float32))
    tl.atomic_max(total_ptr + 4, gate_largest)
    tl.atomic_max(total_ptr + 5, drift)

    # Ranks: how many elements before this one are positive, and the running sum of magnitudes.
    is_positive = tl.where(inside & (normed > 0.0), 1, 0)
    position = tl.cumsum(is_positive, axis=0)
    magnitude = tl.cumsum(tl.abs(normed), axis=0)
    whole = tl.sum(tl.abs(normed), axis=0)
    share = magnitude / tl.maximum(whole, epsilon)
    in_nucleus = share <= 0.9
    rank = tl.where(in_nucleus, position, -1)
    tl.store(rank_ptr + start + at, rank, mask=inside)

    # Quantization to 8 bits with a scale for each group of neighbours.
    groups: tl.constexpr = BLOCK // GROUP
    grouped = tl.reshape(normed, [groups, GROUP])
    group_largest = tl.max(tl.abs(grouped), axis=1)
    group_scale = tl.maximum(group_largest, 1e-8) / 127.0
    scaled = grouped / group_scale[:, None]
    rounded = tl.floor(scaled + 0.5)
    rounded = tl.minimum(tl.maximum(rounded, -127.0), 127.0)
    error = tl.abs(rounded * group_scale[:, None] - grouped)
    worst = tl.max(tl.max(error, axis=1), axis=0)
    quantized = tl.reshape(rounded, [BLOCK]).to(tl.int8)
    tl.store(quantized_ptr + start + at, quantized, mask=inside)
    group_at = tl.arange(0, groups)
    tl.store(scale_ptr + row * groups + group_at, group_scale, mask=group_at * GROUP < columns)
    tl.atomic_max(total_ptr + 6, worst)

    # Adam with decoupled decay on the row of weights, clipped by the gradient's length.
    weight = tl.load(master_ptr + start + at, mask=inside, other=0.0)
    gradient = tl.load(gradient_ptr + start + at, mask=inside, other=0.0).to(tl.float32)
    momentum = tl.load(momentum_ptr + start + at, mask=inside, other=0.0)
    variance = tl.load(variance_ptr + start + at, mask=inside, other=0.0)
    length = tl.sqrt(tl.sum(gradient * gradient, axis=0))
    clip = tl.minimum(1.0, 1.0 / tl.maximum(length, epsilon))
    gradient = gradient * clip
    momentum = beta1 * momentum + (1.0 - beta1) * gradient
    variance = beta2 * variance + (1.0 - beta2) * gradient * gradient
    steps = step.to(tl.float32)
    correction1 = 1.0 - tl.exp(steps * tl.log(beta1))
    correction2 = 1.0 - tl.exp(steps * tl.log(beta2))
    momentum_hat = momentum / correction1
    variance_hat = variance / correction2
    update = momentum_hat / (tl.sqrt(variance_hat) + epsilon)
    weight_length = tl.sqrt(tl.sum(weight * weight, axis=0))
    update_length = tl.sqrt(tl.sum(tl.where(inside, update * update, 0.0), axis=0))
    trust = tl.where(update_length > 0.0, weight_length / tl.maximum(update_length, epsilon), 1.0)
    trust = tl.minimum(tl.maximum(trust, 0.1), 10.0)
    warm = tl.minimum(steps / 1000.0, 1.0)
    cooled = 0.5 * (1.0 + tl.cos(3.141592653589793 * tl.minimum(steps / 100000.0, 1.0)))
    current_rate = rate * warm * cooled
    adam = weight - current_rate * (trust * update + decay * weight)
    tl.store(momentum_ptr + start + at, momentum, mask=inside)
    tl.store(variance_ptr + start + at, variance, mask=inside)

    # Where the step of Adam would overshoot, one by the gradient's sign.
    sign = tl.where(gradient > 0.0, 1.0, tl.where(gradient < 0.0, -1.0, 0.0))
    lion = weight - 0.1 * current_rate * (sign + decay * weight)
    overshoots = tl.abs(adam - weight) > 10.0 * current_rate
    chosen = tl.where(overshoots, lion, adam)
    is_finite = chosen == chosen
    chosen = tl.where(is_finite, chosen, weight)
    tl.store(master_ptr + start + at, chosen, mask=inside)

    # Stochastic rounding of the weights to bfloat16: random low bits are added before they are cut.
    noise = tl.randint(seed + 1, row * BLOCK + at)
    low = noise.to(tl.int32) & 0xFFFF
    bits = chosen.to(tl.int32, bitcast=True)
    raised = (bits + low) & -65536
    short = raised.to(tl.float32, bitcast=True).to(tl.bfloat16)
    tl.store(weight_ptr + start + at, short, mask=inside)
    moved = tl.sum(tl.where(inside, tl.abs(chosen - weight), 0.0), axis=0)
    bad = tl.sum(tl.where(inside & (chosen != chosen), 1, 0), axis=0)
    tl.atomic_add(total_ptr + 7, moved)
    tl.atomic_add(total_ptr + 8, bad.to(tl.float32))

    # A moving average of the weights, and how far it lies behind.
    average_rate = tl.minimum(0.999, (1.0 + steps) / (10.0 + steps))
    lag = chosen - momentum_hat
    average = average_rate * weight + (1.0 - average_rate) * chosen
    behind = tl.where(inside, tl.abs(average - chosen), 0.0)
    behind_most = tl.max(behind, axis=0)
    behind_mean = tl.sum(behind, axis=0) / columns
    lag_length = tl.sqrt(tl.sum(tl.where(inside, lag * lag, 0.0), axis=0))
    tl.atomic_max(total_ptr + 9, behind_most)
    tl.atomic_add(total_ptr + 10, behind_mean)
    tl.atomic_add(total_ptr + 11, lag_length)

    # The gradient in 8-bit floats for exchange between machines, with the error that is carried on.
    pairs = tl.reshape(gradient, [groups, GROUP])
    pair_largest = tl.max(tl.abs(pairs), axis=1)
    pair_scale = tl.maximum(pair_largest, 1e-12) / 448.0
    unit = pairs / pair_scale[:, None]
    coarse = tl.minimum(tl.maximum(unit, -448.0), 448.0).to(tl.float16).to(tl.float32)
    carried = pairs - coarse * pair_scale[:, None]
    carried_row = tl.reshape(carried, [BLOCK])
    tl.store(gradient_ptr + start + at, carried_row, mask=inside)
    carried_length = tl.sqrt(tl.sum(tl.where(inside, carried_row * carried_row, 0.0), axis=0))
    lost = carried_length / tl.maximum(length, epsilon)
    exponent = tl.floor(tl.log2(tl.maximum(pair_largest, 1e-12)))
    spread = tl.max(exponent, axis=0) - tl.min(exponent, axis=0)
    tl.atomic_max(total_ptr + 12, lost)
    tl.atomic_max(total_ptr + 13, spread)

    # How the columns correlate: products with the neighbours of the other half of the row.
    after_first = tl.load(normed_ptr + second_at, mask=has_second, other=0.0).to(tl.float32)
    product = first * after_first
    square_first = tl.sum(first * first, axis=0)
    square_second = tl.sum(after_first * after_first, axis=0)
    correlation = tl.sum(product, axis=0) / tl.sqrt(tl.maximum(square_first * square_second, epsilon))
    agreeing = tl.sum(tl.where(product > 0.0, 1, 0), axis=0)
    opposing = tl.sum(tl.where(product < 0.0, 1, 0), axis=0)
    balance = (agreeing - opposing).to(tl.float32) / columns
    strongest = tl.argmax(tl.abs(product), axis=0)
    tl.atomic_add(total_ptr + 14, correlation)
    tl.atomic_add(total_ptr + 15, balance)
    tl.store(rank_ptr + start + columns, strongest)

    # A bounded score of the row decides whether the next step may take it again.
    score = 1.0 / (1.0 + tl.exp(-(loss - entropy)))
    score = score * (1.0 - is_right) + 0.5 * is_right
    score = tl.where(is_counted, score, 0.0)
    doubt = score * (1.0 - score)
    surprise = -tl.log2(tl.maximum(1.0 - score, 1e-6))
    again = (surprise > 1.0) & (drift < 0.01) & (lost < 0.5)
    chance = tl.rand(seed + 2, row)
    taken = again & (chance < score)
    tl.store(rank_ptr + start + columns + 1, tl.where(taken, 1, 0))
    tl.atomic_add(total_ptr + 16, tl.where(taken, 1.0, 0.0))
    tl.atomic_add(total_ptr + 17, doubt)
    tl.atomic_add(total_ptr + 18, surprise)
