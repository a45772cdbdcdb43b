// The nearest centres of patches: exact, with a cheap lower bound that rules out nearly all of them (see ops/pruned.rs),
// without a matrix of all distances in memory. Rows are (count, width) in f32, row-major.

#define DIRECTIONS 32
// Of a row as the bound sees it: its projection, the norm of the rest, half the squared norm of both, and two unused.
#define SKETCH 36
#define REST 32
#define HALF_NORM 33
// Sketches of centres in shared memory at a time.
#define TILE 64
#define INFINITE __int_as_float(0x7f800000)

__device__ __forceinline__ float warp_sum(float value) {
    for (int offset = 16; offset > 0; offset /= 2) value += __shfl_xor_sync(0xffffffff, value, offset);
    return value;
}

// Sketches of rows. 256 threads take 32 rows; thread t has row t / 8 and every eighth share of its numbers.
extern "C" __global__ void sketch(const float* rows, const float* mean, const float* directions, float* sketches,
                                  int count, int width) {
    __shared__ float values[32][33];
    __shared__ float axes[32][33];  // [direction][coordinate]
    __shared__ float low[32][33];
    const int row = threadIdx.x / 8, part = threadIdx.x % 8;
    const int first = blockIdx.x * 32;
    const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
    float sums[4] = {0.0f, 0.0f, 0.0f, 0.0f};
    float rest = 0.0f;
    // First the projections; then, with them, the norm of what they leave.
    for (int phase = 0; phase < 2; ++phase) {
        for (int start = 0; start < width; start += 32) {
            __syncthreads();
            for (int r = warp; r < 32; r += 8) {
                const int d = start + lane, t = min(first + r, count - 1);
                values[r][lane] = d < width ? rows[(size_t)t * width + d] - mean[d] : 0.0f;
                axes[r][lane] = d < width ? directions[(size_t)r * width + d] : 0.0f;
            }
            __syncthreads();
            if (phase == 0) {
                for (int d = 0; d < 32; ++d)
                    for (int k = 0; k < 4; ++k) sums[k] = fmaf(values[row][d], axes[part * 4 + k][d], sums[k]);
            } else {
                for (int k = 0; k < 4; ++k) {
                    const int d = part * 4 + k;
                    float left = values[row][d];
                    for (int axis = 0; axis < 32; ++axis) left = fmaf(-low[row][axis], axes[axis][d], left);
                    rest = fmaf(left, left, rest);
                }
            }
        }
        if (phase == 0) {
            for (int k = 0; k < 4; ++k) low[row][part * 4 + k] = sums[k];
            __syncthreads();
        }
    }
    float norm = 0.0f;
    for (int k = 0; k < 4; ++k) norm = fmaf(sums[k], sums[k], norm);
    for (int offset = 4; offset > 0; offset /= 2) {
        norm += __shfl_xor_sync(0xffffffff, norm, offset);
        rest += __shfl_xor_sync(0xffffffff, rest, offset);
    }
    if (first + row >= count) return;
    float* target = sketches + (size_t)(first + row) * SKETCH;
    for (int k = 0; k < 4; ++k) target[part * 4 + k] = sums[k];
    if (part == 0) {
        target[REST] = sqrtf(rest);
        target[HALF_NORM] = 0.5f * (norm + rest);
        target[HALF_NORM + 1] = 0.0f;
        target[HALF_NORM + 2] = 0.0f;
    }
}

// Half the bound without the patch's own half norm, which is the same for all centres.
__device__ __forceinline__ float half_bound(const float4 (&patch)[DIRECTIONS / 4], float rest, const float* centre) {
    float dot = rest * centre[REST];
    for (int i = 0; i < DIRECTIONS / 4; ++i) {
        const float4 c = ((const float4*)centre)[i];
        dot = fmaf(patch[i].x, c.x, fmaf(patch[i].y, c.y, fmaf(patch[i].z, c.z, fmaf(patch[i].w, c.w, dot))));
    }
    return centre[HALF_NORM] - dot;
}

struct Patch {
    float4 low[DIRECTIONS / 4];
    float rest;
};

__device__ __forceinline__ Patch patch_at(const float* sketches, int t) {
    Patch patch;
    const float* sketch = sketches + (size_t)t * SKETCH;
#pragma unroll
    for (int i = 0; i < DIRECTIONS / 4; ++i) patch.low[i] = ((const float4*)sketch)[i];
    patch.rest = sketch[REST];
    return patch;
}

// Hands every centre of this block's share (blockIdx.y of gridDim.y) to `work(bound, centre)`, a tile at a time.
template <class Work>
__device__ __forceinline__ void each_centre(const Patch& patch, const float* centres, int centre_count, Work work) {
    __shared__ __align__(16) float tile[TILE * SKETCH];
    const int share = (centre_count + gridDim.y - 1) / gridDim.y;
    const int begin = blockIdx.y * share, end = min(begin + share, centre_count);
    for (int start = begin; start < end; start += TILE) {
        const int here = min(TILE, end - start);
        __syncthreads();
        for (int i = threadIdx.x; i < here * (SKETCH / 4); i += blockDim.x)
            ((float4*)tile)[i] = ((const float4*)(centres + (size_t)start * SKETCH))[i];
        __syncthreads();
        for (int j = 0; j < here; ++j) work(half_bound(patch.low, patch.rest, tile + j * SKETCH), start + j);
    }
}

// The K smallest of what it was shown, by number, then by index; K sorted places in registers.
template <int K>
struct Smallest {
    float value[K];
    int index[K];

    __device__ __forceinline__ Smallest() {
#pragma unroll
        for (int k = 0; k < K; ++k) {
            value[k] = INFINITE;
            index[k] = k;
        }
    }

    __device__ __forceinline__ void show(float v, int i) {
        // Not-a-number is never smaller.
        if (!(v < value[K - 1] || (v == value[K - 1] && v < INFINITE && i < index[K - 1]))) return;
        value[K - 1] = v;
        index[K - 1] = i;
#pragma unroll
        for (int k = K - 1; k > 0; --k) {
            const bool swap = value[k] < value[k - 1] || (value[k] == value[k - 1] && index[k] < index[k - 1]);
            if (!swap) continue;
            const float v2 = value[k];
            const int i2 = index[k];
            value[k] = value[k - 1];
            index[k] = index[k - 1];
            value[k - 1] = v2;
            index[k - 1] = i2;
        }
    }
};

// The K centres of the smallest bounds in each share of the centres, for a good limit: (shares, T, K).
template <int K>
__device__ __forceinline__ void seeds_of(const float* patches, const float* centres, float* bounds, unsigned* seeds,
                                         int count, int centre_count) {
    const int t = blockIdx.x * blockDim.x + threadIdx.x;
    const Patch patch = patch_at(patches, min(t, count - 1));
    Smallest<K> smallest;
    each_centre(patch, centres, centre_count, [&](float bound, int j) { smallest.show(bound, j); });
    if (t >= count) return;
    const size_t at = ((size_t)blockIdx.y * count + t) * K;
#pragma unroll
    for (int k = 0; k < K; ++k) {
        bounds[at + k] = smallest.value[k];
        seeds[at + k] = smallest.index[k];
    }
}

// The squared distance of two rows by direct differences, by a whole warp.
__device__ __forceinline__ float squared_distance(const float* a, const float* b, int width, int lane) {
    float sum = 0.0f;
    if (width % 4 == 0) {
        for (int d = lane; d < width / 4; d += 32) {
            const float4 x = ((const float4*)a)[d], y = ((const float4*)b)[d];
            const float dx = x.x - y.x, dy = x.y - y.y, dz = x.z - y.z, dw = x.w - y.w;
            sum = fmaf(dx, dx, fmaf(dy, dy, fmaf(dz, dz, fmaf(dw, dw, sum))));
        }
    } else {
        for (int d = lane; d < width; d += 32) {
            const float dx = a[d] - b[d];
            sum = fmaf(dx, dx, sum);
        }
    }
    return warp_sum(sum);
}

// From the seeds to the largest half bound that a centre among the `wanted` nearest can have, one warp a patch.
template <int K>
__device__ __forceinline__ void limits_of(const float* patches, const float* centres, const float* sketches,
                                          const float* bounds, const unsigned* seeds, float* limits, int count, int width,
                                          int wanted, int shares, float slack, float largest) {
    const int t = (blockIdx.x * blockDim.x + threadIdx.x) / 32, lane = threadIdx.x % 32;
    if (t >= count) return;
    Smallest<K> best;
    for (int share = 0; share < shares; ++share) {
        const size_t at = ((size_t)share * count + t) * K;
        for (int k = 0; k < K; ++k) best.show(bounds[at + k], seeds[at + k]);
    }
    float limit = 0.0f;
#pragma unroll
    for (int k = 0; k < K; ++k) {
        if (k >= wanted) continue;
        const float* centre = centres + (size_t)best.index[k] * width;
        const float squared = squared_distance(patches + (size_t)t * width, centre, width, lane);
        limit = squared <= limit ? limit : squared;
    }
    if (lane > 0) return;
    const float own = sketches[(size_t)t * SKETCH + HALF_NORM];
    limits[t] = 0.5f * limit - own + slack * (own + largest + 0.5f * limit);
}

// Lists every centre whose bound does not rule it out; `found` counts on where a list is full.
extern "C" __global__ void survivors(const float* patches, const float* centres, const float* limits, unsigned* list,
                                     unsigned* found, int count, int centre_count, int room) {
    const int t = blockIdx.x * blockDim.x + threadIdx.x;
    const Patch patch = patch_at(patches, min(t, count - 1));
    const float limit = limits[min(t, count - 1)];
    const bool real = t < count;
    each_centre(patch, centres, centre_count, [&](float bound, int j) {
        if (!real || !(bound <= limit)) return;
        const unsigned place = atomicAdd(found + t, 1u);
        if (place < room) list[(size_t)t * room + place] = j;
    });
}

// The `wanted` nearest of the listed centres, or of all where there is no list (room is 0) or it was too short; one warp
// a patch.
template <int K>
__device__ __forceinline__ void nearest_of(const float* patches, const float* centres, const unsigned* list,
                                           const unsigned* found, unsigned* indices, float* squared, int count,
                                           int centre_count, int width, int wanted, int room) {
    const int t = (blockIdx.x * blockDim.x + threadIdx.x) / 32, lane = threadIdx.x % 32;
    if (t >= count) return;
    const float* patch = patches + (size_t)t * width;
    const bool listed = room > 0 && found[t] <= room;
    const int candidates = listed ? found[t] : centre_count;
    Smallest<K> best;
    for (int i = 0; i < candidates; ++i) {
        const int j = listed ? list[(size_t)t * room + i] : i;
        best.show(squared_distance(patch, centres + (size_t)j * width, width, lane), j);
    }
    if (lane > 0) return;
#pragma unroll
    for (int k = 0; k < K; ++k) {
        if (k >= wanted) continue;
        indices[(size_t)t * wanted + k] = best.index[k];
        squared[(size_t)t * wanted + k] = best.value[k];
    }
}

#define FOR_PLACES(K)                                                                                                    \
    extern "C" __global__ void seeds_##K(const float* patches, const float* centres, float* bounds, unsigned* seeds,    \
                                         int count, int centre_count) {                                                  \
        seeds_of<K>(patches, centres, bounds, seeds, count, centre_count);                                               \
    }                                                                                                                    \
    extern "C" __global__ void limits_##K(const float* patches, const float* centres, const float* sketches,            \
                                          const float* bounds, const unsigned* seeds, float* limits, int count,         \
                                          int width, int wanted, int shares, float slack, float largest) {               \
        limits_of<K>(patches, centres, sketches, bounds, seeds, limits, count, width, wanted, shares, slack, largest);   \
    }                                                                                                                    \
    extern "C" __global__ void nearest_##K(const float* patches, const float* centres, const unsigned* list,            \
                                           const unsigned* found, unsigned* indices, float* squared, int count,         \
                                           int centre_count, int width, int wanted, int room) {                          \
        nearest_of<K>(patches, centres, list, found, indices, squared, count, centre_count, width, wanted, room);        \
    }

FOR_PLACES(4)
FOR_PLACES(8)
FOR_PLACES(16)
FOR_PLACES(32)

// sum over k of coefficients[t][k] * (patches[t] - centres[indices[t][k]]); one block a patch.
extern "C" __global__ void weighted_differences(const float* patches, const float* centres, const unsigned* indices,
                                                const float* coefficients, float* sums, int width, int count) {
    const size_t t = blockIdx.x;
    for (int d = threadIdx.x; d < width; d += blockDim.x) {
        const float patch = patches[t * width + d];
        float sum = 0.0f;
        for (int k = 0; k < count; ++k) {
            const float coefficient = coefficients[t * count + k];
            if (coefficient == 0.0f) continue;
            sum = fmaf(coefficient, patch - centres[(size_t)indices[t * count + k] * width + d], sum);
        }
        sums[t * width + d] = sum;
    }
}
