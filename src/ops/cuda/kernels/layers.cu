// Layers of frozen networks: what follows a convolution, convolutions of single channels, padding, pooling.
// Tensors are (B, C, H, W) in f32, row-major. One block works on one plane (picture and channel).

enum Activation { NONE, RELU, RELU6, HARD_SIGMOID, HARD_SWISH };

// Comparisons are written so that not-a-number stays what it is.
__device__ __forceinline__ float hard_sigmoid(float x) {
    float line = fmaf(x, 1.0f / 6.0f, 0.5f);
    return line < 0.0f ? 0.0f : line > 1.0f ? 1.0f : line;
}

__device__ __forceinline__ float activate(float x, int activation) {
    switch (activation) {
        case RELU: return x < 0.0f ? 0.0f : x;
        case RELU6: return x < 0.0f ? 0.0f : x > 6.0f ? 6.0f : x;
        case HARD_SIGMOID: return hard_sigmoid(x);
        case HARD_SWISH: return x * hard_sigmoid(x);
        default: return x;
    }
}

// activation(sums + bias of the channel + residual); `added` is read where has_residual is not 0.
extern "C" __global__ void finish(const float* sums, const float* bias, const float* added, float* output, int channels,
                                  int plane, int has_residual, int activation) {
    const size_t start = (size_t)blockIdx.x * plane;
    const float offset = bias[blockIdx.x % channels];
    if (plane % 4 == 0) {
        const float4* source = (const float4*)(sums + start);
        const float4* residual = (const float4*)(added + start);
        float4* target = (float4*)(output + start);
        for (int i = threadIdx.x; i < plane / 4; i += blockDim.x) {
            const float4 x = source[i];
            const float4 r = has_residual ? residual[i] : make_float4(0.0f, 0.0f, 0.0f, 0.0f);
            target[i] = make_float4(activate(x.x + offset + r.x, activation), activate(x.y + offset + r.y, activation),
                                    activate(x.z + offset + r.z, activation), activate(x.w + offset + r.w, activation));
        }
        return;
    }
    for (int i = threadIdx.x; i < plane; i += blockDim.x) {
        float x = sums[start + i] + offset;
        if (has_residual) x += added[start + i];
        output[start + i] = activate(x, activation);
    }
}

// Mirrored without the edge repeated; only called for positions less than one size outside.
__device__ __forceinline__ int mirrored(int i, int size) {
    if (i < 0) i = -i;
    return i < size ? i : 2 * (size - 1) - i;
}

// activation(convolution of every channel with its own filter + bias + residual).
extern "C" __global__ void depthwise(const float* pixels, const float* filters, const float* bias, const float* added,
                                     float* output, int channels, int height, int width, int out_height, int out_width,
                                     int kernel, int stride, int top, int left, int reflect, int has_residual,
                                     int activation) {
    const int channel = blockIdx.x % channels;
    const float* source = pixels + (size_t)blockIdx.x * height * width;
    const float* filter = filters + channel * kernel * kernel;
    const int plane = out_height * out_width;
    const size_t start = (size_t)blockIdx.x * plane;
    for (int i = threadIdx.x; i < plane; i += blockDim.x) {
        const int y0 = i / out_width * stride - top, x0 = i % out_width * stride - left;
        float sum = 0.0f;
        for (int u = 0; u < kernel; ++u) {
            int y = y0 + u;
            if (reflect) y = mirrored(y, height);
            if (y < 0 || y >= height) continue;
            for (int v = 0; v < kernel; ++v) {
                int x = x0 + v;
                if (reflect) x = mirrored(x, width);
                if (x < 0 || x >= width) continue;
                sum = fmaf(filter[u * kernel + v], source[y * width + x], sum);
            }
        }
        sum += bias[channel];
        if (has_residual) sum += added[start + i];
        output[start + i] = activate(sum, activation);
    }
}

// The picture with a border of zeros or of its own mirror image.
extern "C" __global__ void pad(const float* pixels, float* output, int height, int width, int out_height, int out_width,
                               int top, int left, int reflect) {
    const float* source = pixels + (size_t)blockIdx.x * height * width;
    float* target = output + (size_t)blockIdx.x * out_height * out_width;
    for (int i = threadIdx.x; i < out_height * out_width; i += blockDim.x) {
        int y = i / out_width - top, x = i % out_width - left;
        if (reflect) {
            y = mirrored(y, height);
            x = mirrored(x, width);
        }
        const bool inside = y >= 0 && y < height && x >= 0 && x < width;
        target[i] = inside ? source[y * width + x] : 0.0f;
    }
}

// The average over 3 x 3 pixels; the zeros outside count.
extern "C" __global__ void average_3x3(const float* pixels, float* output, int height, int width) {
    const size_t start = (size_t)blockIdx.x * height * width;
    for (int i = threadIdx.x; i < height * width; i += blockDim.x) {
        const int y = i / width, x = i % width;
        float sum = 0.0f;
        for (int u = max(y - 1, 0); u <= min(y + 1, height - 1); ++u)
            for (int v = max(x - 1, 0); v <= min(x + 1, width - 1); ++v) sum += pixels[start + u * width + v];
        output[start + i] = sum / 9.0f;
    }
}

// The maximum over 3 x 3 pixels around every second pixel; not-a-number wins.
extern "C" __global__ void max_3x3_stride_2(const float* pixels, float* output, int height, int width) {
    const int out_height = (height + 1) / 2, out_width = (width + 1) / 2;
    const float* source = pixels + (size_t)blockIdx.x * height * width;
    float* target = output + (size_t)blockIdx.x * out_height * out_width;
    for (int i = threadIdx.x; i < out_height * out_width; i += blockDim.x) {
        const int y = i / out_width * 2, x = i % out_width * 2;
        float largest = source[y * width + x];
        for (int u = max(y - 1, 0); u <= min(y + 1, height - 1); ++u)
            for (int v = max(x - 1, 0); v <= min(x + 1, width - 1); ++v) {
                const float value = source[u * width + v];
                if (!(value <= largest)) largest = isnan(largest) ? largest : value;
            }
        target[i] = largest;
    }
}
