// What lies between the matrix products of a conditional normalizing flow, forward and backward (see
// models/cflow/closed_form.rs). Matrices are row-major in f32: a fibre a row. N fibres, C channels of which the first
// `kept` pass unchanged, `changed` = C - kept. Sums that decide are in f64.

enum Clamp { TANH, SCALED_TANH, ARCTAN };
#define ALPHA 1.9f
#define DAMPING 0.1f
#define TWO_OVER_PI 0.636619772f

__device__ __forceinline__ float clamped(float raw, int clamp) {
    switch (clamp) {
        case TANH: return ALPHA * tanhf(raw);
        case SCALED_TANH: return ALPHA * tanhf(raw / ALPHA);
        default: return ALPHA * TWO_OVER_PI * atanf(raw / ALPHA);
    }
}

__device__ __forceinline__ float clamp_slope(float raw, float value, int clamp) {
    const float share = value / ALPHA, ratio = raw / ALPHA;
    switch (clamp) {
        case TANH: return ALPHA * (1.0f - share * share);
        case SCALED_TANH: return 1.0f - share * share;
        default: return TWO_OVER_PI / (1.0f + ratio * ratio);
    }
}

// The sum of a number of every thread of the block, for the first thread.
__device__ double block_sum(double value) {
    __shared__ double sums[32];
    for (int offset = 16; offset > 0; offset /= 2) value += __shfl_down_sync(0xffffffff, value, offset);
    __syncthreads();
    if (threadIdx.x % 32 == 0) sums[threadIdx.x / 32] = value;
    __syncthreads();
    double total = 0.0;
    if (threadIdx.x == 0)
        for (int warp = 0; warp < blockDim.x / 32; ++warp) total += sums[warp];
    return total;
}

// Fibres of a tap (B, C, h, w), brought to one size, and the code of each one's place: its column's, then its row's.
// Fibre n is number chosen[n], or start + n where none are chosen. 256 threads take 32 fibres.
extern "C" __global__ void gather(const float* tap, const unsigned* chosen, const float* shift, const float* factor,
                                  const float* rows, const float* columns, float* fibres, float* codes, int count,
                                  int is_chosen, unsigned start, int channels, int height, int width, int half) {
    __shared__ float tile[32][33];
    const int lane = threadIdx.x % 32, warp = threadIdx.x / 32, first = blockIdx.x * 32;
    const int cells = height * width;
    const int mine = min(first + lane, count - 1);
    const unsigned fibre = is_chosen ? chosen[mine] : start + mine;
    const float* source = tap + (size_t)(fibre / cells) * channels * cells + fibre % cells;
    for (int from = 0; from < channels; from += 32) {
        __syncthreads();
        for (int c = warp; c < 32; c += 8) {
            const int channel = from + c;
            if (channel < channels) tile[lane][c] = (source[(size_t)channel * cells] - shift[channel]) * factor[channel];
        }
        __syncthreads();
        for (int n = warp; n < 32; n += 8)
            if (first + n < count && from + lane < channels)
                fibres[(size_t)(first + n) * channels + from + lane] = tile[n][lane];
    }
    for (int n = warp; n < 32 && first + n < count; n += 8) {
        const unsigned own = is_chosen ? chosen[first + n] : start + first + n;
        const int cell = own % cells;
        float* code = codes + (size_t)(first + n) * 2 * half;
        for (int k = lane; k < half; k += 32) {
            code[k] = columns[cell % width * half + k];
            code[half + k] = rows[cell / width * half + k];
        }
    }
}

__device__ __forceinline__ double gain_of(float raw) {
    const double half = 0.5 * raw;
    return 0.2 * (half > 20.0 ? half : log1p(exp(half)));
}

// Gains of all blocks (blocks, C) and the sum of their logarithms; the raw scales lie `stride` numbers apart. One block.
extern "C" __global__ void gains(const float* scales, float* gain, double* log_gain, int channels, int blocks,
                                 int stride) {
    double sum = 0.0;
    for (int i = threadIdx.x; i < channels * blocks; i += blockDim.x) {
        const float value = (float)gain_of(scales[(size_t)(i / channels) * stride + i % channels]);
        gain[i] = value;
        sum += log((double)value);
    }
    sum = block_sum(sum);
    if (threadIdx.x == 0) *log_gain = sum;
}

// hidden = max(hidden + bias, 0); not-a-number stays what it is.
extern "C" __global__ void rectify(float* hidden, const float* bias, int width) {
    float* row = hidden + (size_t)blockIdx.x * width;
    for (int i = threadIdx.x; i < width; i += blockDim.x) {
        const float x = row[i] + bias[i];
        row[i] = x < 0.0f ? 0.0f : x;
    }
}

// Coupling and global affine of one fibre a block. `output` becomes damped with its bias; log-scales, their exponentials
// and the coupled half are kept; `result` is what is rotated next. log_det is added to, or set by the first block.
extern "C" __global__ void couple(const float* input, float* output, const float* bias, const float* gain,
                                  const float* offset, float* log_scales, float* stretches, float* coupled, float* result,
                                  double* log_det, int kept, int changed, int clamp, int is_first) {
    const int channels = kept + changed;
    const size_t n = blockIdx.x;
    double sum = 0.0;
    for (int i = threadIdx.x; i < kept; i += blockDim.x)
        result[n * channels + i] = fmaf(input[n * channels + i], gain[i], offset[i]);
    for (int i = threadIdx.x; i < changed; i += blockDim.x) {
        const size_t at = n * changed + i, out = n * 2 * changed;
        const float raw = DAMPING * (output[out + i] + bias[i]);
        const float shift = DAMPING * (output[out + changed + i] + bias[changed + i]);
        output[out + i] = raw;
        output[out + changed + i] = shift;
        const float log_scale = clamped(raw, clamp);
        const float stretch = expf(log_scale);
        const float value = fmaf(input[n * channels + kept + i], stretch, shift);
        log_scales[at] = log_scale;
        stretches[at] = stretch;
        coupled[at] = value;
        result[n * channels + kept + i] = fmaf(value, gain[kept + i], offset[kept + i]);
        sum += log_scale;
    }
    sum = block_sum(sum);
    if (threadIdx.x == 0) log_det[n] = is_first ? sum : log_det[n] + sum;
}

// Log-likelihood per dimension of every fibre.
extern "C" __global__ void likelihood(const float* latent, const double* log_det, const double* log_gain,
                                      double* likelihoods, int channels) {
    const size_t n = blockIdx.x;
    double squared = 0.0;
    for (int i = threadIdx.x; i < channels; i += blockDim.x) {
        const double z = latent[n * channels + i];
        squared += z * z;
    }
    squared = block_sum(squared);
    if (threadIdx.x == 0)
        likelihoods[n] = (log_det[n] + *log_gain - 0.5 * squared) / channels - 0.918938533204672742;
}

// How likely fibres are beside the likeliest there is, at most 1. Not-a-number must not pass for likely.
extern "C" __global__ void shares(const double* likelihoods, float* shares, int count, double maximum) {
    const int n = blockIdx.x * blockDim.x + threadIdx.x;
    if (n >= count) return;
    const double excess = likelihoods[n] - maximum;
    shares[n] = (float)exp(excess > 0.0 ? 0.0 : excess);
}

// The mean of -log sigmoid(likelihood), the slope of each fibre's share of it, and the sum of the slopes. One block.
extern "C" __global__ void mean_loss(const double* likelihoods, float* slopes, double* loss, float* slope_sum, int count,
                                     int channels) {
    double sum = 0.0, slope_total = 0.0;
    for (int n = threadIdx.x; n < count; n += blockDim.x) {
        const double l = likelihoods[n];
        sum += log1p(exp(-fabs(l))) + (l < 0.0 ? -l : 0.0);
        slopes[n] = (float)(-1.0 / (1.0 + exp(l)) / ((double)channels * count));
        slope_total += slopes[n];
    }
    sum = block_sum(sum);
    slope_total = block_sum(slope_total);
    if (threadIdx.x == 0) {
        *loss = sum / count;
        *slope_sum = (float)slope_total;
    }
}

// The gradient by the latent values: -slope z.
extern "C" __global__ void latent_gradient(const float* latent, const float* slopes, float* gradient, int channels) {
    const size_t n = blockIdx.x;
    for (int i = threadIdx.x; i < channels; i += blockDim.x)
        gradient[n * channels + i] = -slopes[n] * latent[n * channels + i];
}

// Backward through global affine and coupling of one fibre a block: from the gradient behind the affine to that of the
// subnet's output, which takes the output's place, and that of the input without what flows through the subnet.
extern "C" __global__ void uncouple(const float* behind, const float* input, float* output, const float* gain,
                                    const float* log_scales, const float* stretches, const float* slopes, float* gradient,
                                    int kept, int changed, int clamp) {
    const int channels = kept + changed;
    const size_t n = blockIdx.x;
    for (int i = threadIdx.x; i < kept; i += blockDim.x) gradient[n * channels + i] = behind[n * channels + i] * gain[i];
    for (int i = threadIdx.x; i < changed; i += blockDim.x) {
        const size_t at = n * changed + i, out = n * 2 * changed, whole = n * channels + kept + i;
        const float by_coupled = behind[whole] * gain[kept + i];
        const float stretched = by_coupled * stretches[at];
        const float by_log_scale = fmaf(stretched, input[whole], slopes[n]);
        output[out + i] = DAMPING * by_log_scale * clamp_slope(output[out + i], log_scales[at], clamp);
        output[out + changed + i] = DAMPING * by_coupled;
        gradient[whole] = stretched;
    }
}

// The gradient before a rectification.
extern "C" __global__ void unrectify(float* gradient, const float* rectified, int width) {
    const size_t start = (size_t)blockIdx.x * width;
    for (int i = threadIdx.x; i < width; i += blockDim.x)
        if (rectified[start + i] == 0.0f) gradient[start + i] = 0.0f;
}

// Sums over the fibres of every column of every flow block's matrix (blocks, N, width), `stride` numbers apart.
extern "C" __global__ void column_sums(const float* values, float* sums, int count, int width, int stride) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= width) return;
    const float* column = values + (size_t)blockIdx.y * count * width + i;
    float sum = 0.0f;
    for (int n = 0; n < count; ++n) sum += column[(size_t)n * width];
    sums[(size_t)blockIdx.y * stride + i] = sum;
}

// Gradients of the raw global scales and of the offsets behind them, for all flow blocks.
extern "C" __global__ void affine_gradients(const float* behind, const float* input, const float* coupled,
                                            const float* scales, const float* gain, const float* slope_sum, float* by_scale,
                                            float* by_offset, int count, int kept, int changed, int stride) {
    const int channels = kept + changed;
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= channels) return;
    const size_t block = blockIdx.y;
    float gain_sum = 0.0f, offset_sum = 0.0f;
    for (int n = 0; n < count; ++n) {
        const size_t row = block * count + n;
        const float g = behind[row * channels + i];
        const float value = i < kept ? input[row * channels + i] : coupled[row * changed + i - kept];
        gain_sum = fmaf(g, value, gain_sum);
        offset_sum += g;
    }
    const double raw = scales[block * stride + i];
    const double gain_slope = 0.1 / (1.0 + exp(-0.5 * raw));
    by_scale[block * stride + i] = (float)((gain_sum + *slope_sum / gain[block * channels + i]) * gain_slope);
    by_offset[block * stride + i] = offset_sum;
}

// One step of Adam; none where the loss is not a number.
extern "C" __global__ void adam(float* values, float* first, float* second, const float* gradient, const double* loss,
                                long long count, float rate, float correction) {
    if (!isfinite(*loss)) return;
    for (long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x; i < count; i += (long long)gridDim.x * blockDim.x) {
        const float g = gradient[i];
        const float m = fmaf(first[i], 0.9f, g * 0.1f);
        const float v = fmaf(second[i], 0.999f, g * g * 0.001f);
        first[i] = m;
        second[i] = v;
        values[i] -= rate * (m / fmaf(sqrtf(v), correction, 1e-8f));
    }
}

// Many steps of Adam without a gradient.
extern "C" __global__ void drift(float* values, float* first, float* second, long long count, float push, float fade_first,
                                 float fade_second) {
    for (long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x; i < count; i += (long long)gridDim.x * blockDim.x) {
        const float root = sqrtf(second[i]);
        if (root > 0.0f) values[i] -= push * (first[i] / root);
        first[i] *= fade_first;
        second[i] *= fade_second;
    }
}
