// The nearest centres of patches, exactly, from a matrix product that need not be exact. Rows are (count, width) in f32,
// row-major.
//
// A product of centred rows p and c gives v = |c|^2 / 2 - p c: half the squared distance less |p|^2 / 2, which is the same
// for all centres. Where the product is off by at most e, a centre among the K nearest has v <= (the K-th smallest v) + 2 e.
// Those few centres are compared by their distances, computed from differences in full precision.

#define INFINITE __int_as_float(0x7f800000)
// Threads of a block of the kernel `nearest`, and warps among them.
#define THREADS 128
#define WARPS (THREADS / 32)
// Centres that a patch may have left before its distances to all are computed.
#define ROOM 256

__device__ __forceinline__ float warp_sum(float value) {
    for (int offset = 16; offset > 0; offset /= 2) value += __shfl_xor_sync(0xffffffff, value, offset);
    return value;
}

// Rows less the mean, and half their squared norms; a warp a row.
extern "C" __global__ void centre(const float* rows, const float* mean, float* centred, float* half_norms, int count,
                                  int width) {
    const int t = (blockIdx.x * blockDim.x + threadIdx.x) / 32, lane = threadIdx.x % 32;
    if (t >= count) return;
    float sum = 0.0f;
    for (int d = lane; d < width; d += 32) {
        const float value = rows[(size_t)t * width + d] - mean[d];
        centred[(size_t)t * width + d] = value;
        sum = fmaf(value, value, sum);
    }
    sum = warp_sum(sum);
    if (lane == 0) half_norms[t] = 0.5f * sum;
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

// A number and where it is from. Sorted by number, then by place; not-a-number is never smaller.
struct Placed {
    float value;
    int place;
};

__device__ __forceinline__ bool before(const Placed& a, const Placed& b) {
    return a.value < b.value || (a.value == b.value && a.place < b.place);
}

// The first of every thread's, for all threads of the block.
__device__ __forceinline__ Placed block_first(Placed own) {
    __shared__ Placed firsts[WARPS];
    for (int offset = 16; offset > 0; offset /= 2) {
        Placed other;
        other.value = __shfl_xor_sync(0xffffffff, own.value, offset);
        other.place = __shfl_xor_sync(0xffffffff, own.place, offset);
        if (before(other, own)) own = other;
    }
    __syncthreads();
    if (threadIdx.x % 32 == 0) firsts[threadIdx.x / 32] = own;
    __syncthreads();
    own = firsts[0];
    for (int warp = 1; warp < WARPS; ++warp)
        if (before(firsts[warp], own)) own = firsts[warp];
    return own;
}

// The `wanted` nearest centres of the patches from number `first` on; one block a patch. `products` (patches, N) are the
// products of the centred rows, and are written over where a patch needs room for all its distances. `limit` is the product's
// error in units of the norms' product.
extern "C" __global__ void nearest(const float* patches, const float* centres, float* products,
                                   const float* patch_half_norms, const float* half_norms, unsigned* indices,
                                   float* squared, int centre_count, int width, int wanted, float limit,
                                   float largest_half_norm) {
    __shared__ int found;
    __shared__ int list[ROOM];
    __shared__ float distances[ROOM];
    const size_t t = blockIdx.x;
    const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
    const float* patch = patches + t * width;
    float* row = products + t * centre_count;

    // No smaller than the K-th smallest: that of the threads' own minima.
    Placed own = {INFINITE, (int)threadIdx.x};
    for (int j = threadIdx.x; j < centre_count; j += THREADS) {
        const float v = half_norms[j] - row[j];
        if (v < own.value) own.value = v;
    }
    float kth = INFINITE;
    for (int k = 0; k < wanted; ++k) {
        const Placed smallest = block_first(own);
        kth = smallest.value;
        if (smallest.place == threadIdx.x) own.value = INFINITE;
    }
    const float error = limit * 2.0f * sqrtf(patch_half_norms[t] * largest_half_norm);
    const float highest = kth + 2.0f * error;

    if (threadIdx.x == 0) found = 0;
    __syncthreads();
    for (int j = threadIdx.x; j < centre_count; j += THREADS) {
        if (!(half_norms[j] - row[j] <= highest)) continue;
        const int place = atomicAdd(&found, 1);
        if (place < ROOM) list[place] = j;
    }
    __syncthreads();
    const bool listed = found <= ROOM;
    const int candidates = listed ? found : centre_count;
    for (int i = warp; i < candidates; i += WARPS) {
        const int j = listed ? list[i] : i;
        const float distance = squared_distance(patch, centres + (size_t)j * width, width, lane);
        if (lane == 0) (listed ? distances : row)[i] = distance;
    }
    __syncthreads();

    // One after the other, each behind the last.
    Placed last = {-INFINITE, -1};
    for (int k = 0; k < wanted; ++k) {
        Placed next = {INFINITE, centre_count};
        for (int i = threadIdx.x; i < candidates; i += THREADS) {
            const Placed here = {(listed ? distances : row)[i], listed ? list[i] : i};
            if (before(last, here) && before(here, next)) next = here;
        }
        next = block_first(next);
        // Where there are not enough numbers: centres at infinite distance.
        const bool is_none = next.place == centre_count;
        if (threadIdx.x == 0) {
            indices[t * wanted + k] = is_none ? k : next.place;
            squared[t * wanted + k] = is_none ? INFINITE : next.value;
        }
        last = next;
    }
}

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
