// Bilinear upsampling of grids of embeddings (B, h, w, D), and its adjoint. f32, row-major, borders aligned.

struct Sample {
    int first, second;
    float weight;
};

__device__ __forceinline__ Sample sample(int i, int from, int to) {
    const double position = fmax((i + 0.5) * ((double)from / to) - 0.5, 0.0);
    Sample s;
    s.first = min((int)position, from - 1);
    s.second = min(s.first + 1, from - 1);
    s.weight = (float)(position - s.first);
    return s;
}

// sum += grid upsampled from (h, w) to (height, width); one block a cell of the fine grid.
extern "C" __global__ void add_upsampled(float* sum, const float* grid, int height, int width, int h, int w, int depth) {
    const int cells = height * width;
    const int picture = blockIdx.x / cells, cell = blockIdx.x % cells;
    __shared__ Sample row, column;
    if (threadIdx.x == 0) {
        row = sample(cell / width, h, height);
        column = sample(cell % width, w, width);
    }
    __syncthreads();
    const float* source = grid + (size_t)picture * h * w * depth;
    const float* a = source + (size_t)(row.first * w + column.first) * depth;
    const float* b = source + (size_t)(row.first * w + column.second) * depth;
    const float* c = source + (size_t)(row.second * w + column.first) * depth;
    const float* d = source + (size_t)(row.second * w + column.second) * depth;
    float* target = sum + (size_t)blockIdx.x * depth;
    for (int i = threadIdx.x; i < depth; i += blockDim.x) {
        const float left = fmaf(row.weight, c[i], (1.0f - row.weight) * a[i]);
        const float right = fmaf(row.weight, d[i], (1.0f - row.weight) * b[i]);
        target[i] += fmaf(column.weight, right, (1.0f - column.weight) * left);
    }
}

__device__ __forceinline__ float share(const Sample& s, int of) {
    return (s.first == of ? 1.0f - s.weight : 0.0f) + (s.second == of ? s.weight : 0.0f);
}

// The first and last of `to` fine samples that may read coarse sample `of`.
__device__ __forceinline__ int first_reader(int of, int from, int to) {
    return max((int)floor((of - 0.5) * ((double)to / from) - 0.5) - 1, 0);
}
__device__ __forceinline__ int last_reader(int of, int from, int to) {
    return of == from - 1 ? to - 1 : min((int)ceil((of + 1.5) * ((double)to / from) - 0.5) + 1, to - 1);
}

// Fine samples that read one coarse sample, at most: twice the ratio and the rest of a rounding.
#define READERS 160

// Gathers the gradient of every coarse sample from the fine ones that read it, in fixed order; one block a coarse cell.
extern "C" __global__ void gather_upsampled(const float* fine, float* coarse, int height, int width, int h, int w,
                                            int depth) {
    __shared__ float rows[READERS], columns[READERS];
    const int cells = h * w;
    const int picture = blockIdx.x / cells, cell = blockIdx.x % cells;
    const int y = cell / w, x = cell % w;
    const int top = first_reader(y, h, height), bottom = last_reader(y, h, height);
    const int left = first_reader(x, w, width), right = last_reader(x, w, width);
    for (int u = top + threadIdx.x; u <= bottom; u += blockDim.x) rows[u - top] = share(sample(u, h, height), y);
    for (int v = left + threadIdx.x; v <= right; v += blockDim.x) columns[v - left] = share(sample(v, w, width), x);
    __syncthreads();
    const float* source = fine + (size_t)picture * height * width * depth;
    for (int i = threadIdx.x; i < depth; i += blockDim.x) {
        float sum = 0.0f;
        for (int u = top; u <= bottom; ++u) {
            if (rows[u - top] == 0.0f) continue;
            for (int v = left; v <= right; ++v) {
                const float weight = rows[u - top] * columns[v - left];
                if (weight != 0.0f) sum = fmaf(weight, source[(size_t)(u * width + v) * depth + i], sum);
            }
        }
        coarse[(size_t)blockIdx.x * depth + i] = sum;
    }
}
