//! Vector registers behind one small trait, so that each kernel is written once and compiled for AVX-512, AVX2 and
//! portable code. Knows nothing of what is computed.
#![expect(
    unsafe_code,
    reason = "vector instructions are unsafe to call; every use says why it is sound"
)]
#![expect(
    clippy::inline_always,
    reason = "vector instructions must be compiled inside the function that enables them"
)]

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::{
    __m256, __m512, _mm256_add_ps, _mm256_fmadd_ps, _mm256_loadu_ps, _mm256_max_ps, _mm256_min_ps,
    _mm256_mul_ps, _mm256_set1_ps, _mm256_storeu_ps, _mm512_add_ps, _mm512_fmadd_ps,
    _mm512_loadu_ps, _mm512_max_ps, _mm512_min_ps, _mm512_mul_ps, _mm512_set1_ps, _mm512_storeu_ps,
};

/// The widest register of any instruction set, in numbers.
pub(in crate::ops) const WIDEST: usize = 16;

/// A register of numbers.
///
/// # Safety
/// Each method needs a processor with the instructions of the implementing register; pointers must be valid for
/// [`Lanes::COUNT`] numbers, in any alignment.
pub(in crate::ops) trait Lanes: Copy {
    const COUNT: usize;

    unsafe fn splat(value: f32) -> Self;
    unsafe fn load(source: *const f32) -> Self;
    unsafe fn store(self, target: *mut f32);
    unsafe fn add(self, other: Self) -> Self;
    unsafe fn mul(self, other: Self) -> Self;
    /// `self * factor + sum`.
    unsafe fn mul_add(self, factor: Self, sum: Self) -> Self;
    /// The smaller one; `other` where either is not a number.
    unsafe fn min(self, other: Self) -> Self;
    /// The larger one; `other` where either is not a number.
    unsafe fn max(self, other: Self) -> Self;
}

/// Rows, and registers in a row, of a tile of sums that a register file of 16 holds beside its operands. One register
/// more, and the compiler moves sums to memory and back in every step: 44 instead of 100 GFLOP/s.
const SMALL: (usize, usize) = (6, 2);

/// The same for 32 registers.
const LARGE: (usize, usize) = (8, 3);

/// Work to be compiled for each instruction set. `ROWS` times `N` registers are the tile of sums that fits its registers.
pub(in crate::ops) trait Task {
    /// Implementations must be `#[inline(always)]`, or they are compiled without the vector instructions.
    ///
    /// # Safety
    /// The processor has the instructions of `V`.
    unsafe fn run<V: Lanes, const ROWS: usize, const N: usize>(self);
}

/// An instruction set this processor has: values are only made by [`Isa::available`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::ops) struct Isa(Kind);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Portable,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

impl Isa {
    /// Every instruction set of this processor, the quickest last.
    pub(in crate::ops) fn available() -> Vec<Self> {
        let mut all = vec![Self(Kind::Portable)];
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                all.push(Self(Kind::Avx2));
            }
            if is_x86_feature_detected!("avx512f") {
                all.push(Self(Kind::Avx512));
            }
        }
        all
    }

    pub(in crate::ops) fn best() -> Self {
        Self::available().pop().unwrap_or(Self(Kind::Portable))
    }

    /// Numbers in a register.
    pub(in crate::ops) fn lanes(self) -> usize {
        match self.0 {
            Kind::Portable => Portable::COUNT,
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => __m256::COUNT,
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 => __m512::COUNT,
        }
    }

    /// The `ROWS` that [`Isa::run`] hands to a task.
    pub(in crate::ops) fn rows(self) -> usize {
        match self.0 {
            Kind::Portable => SMALL.0,
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => SMALL.0,
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 => LARGE.0,
        }
    }

    /// Numbers in the `N` registers that [`Isa::run`] hands to a task.
    pub(in crate::ops) fn width(self) -> usize {
        match self.0 {
            Kind::Portable => SMALL.1 * Portable::COUNT,
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => SMALL.1 * __m256::COUNT,
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 => LARGE.1 * __m512::COUNT,
        }
    }

    pub(in crate::ops) fn run<T: Task>(self, task: T) {
        // SAFETY: `available` makes a value of a kind only after asking the processor for that kind's instructions.
        unsafe {
            match self.0 {
                Kind::Portable => task.run::<Portable, { SMALL.0 }, { SMALL.1 }>(),
                #[cfg(target_arch = "x86_64")]
                Kind::Avx2 => run_avx2(task),
                #[cfg(target_arch = "x86_64")]
                Kind::Avx512 => run_avx512(task),
            }
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn run_avx2<T: Task>(task: T) {
    // SAFETY: this function is only reachable where its instructions exist.
    unsafe { task.run::<__m256, { SMALL.0 }, { SMALL.1 }>() }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
fn run_avx512<T: Task>(task: T) {
    // SAFETY: this function is only reachable where its instructions exist.
    unsafe { task.run::<__m512, { LARGE.0 }, { LARGE.1 }>() }
}

/// Four numbers, which every compiler target can turn into a vector register.
#[derive(Clone, Copy)]
struct Portable([f32; 4]);

impl Portable {
    #[inline(always)]
    fn zip(self, other: Self, f: impl Fn(f32, f32) -> f32) -> Self {
        let (a, b) = (self.0, other.0);
        Self([f(a[0], b[0]), f(a[1], b[1]), f(a[2], b[2]), f(a[3], b[3])])
    }
}

impl Lanes for Portable {
    const COUNT: usize = 4;

    #[inline(always)]
    unsafe fn splat(value: f32) -> Self {
        Self([value; 4])
    }

    #[inline(always)]
    unsafe fn load(source: *const f32) -> Self {
        // SAFETY: the caller vouches for four readable numbers.
        Self(unsafe { source.cast::<[f32; 4]>().read_unaligned() })
    }

    #[inline(always)]
    unsafe fn store(self, target: *mut f32) {
        // SAFETY: the caller vouches for four writable numbers.
        unsafe { target.cast::<[f32; 4]>().write_unaligned(self.0) }
    }

    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        self.zip(other, |a, b| a + b)
    }

    #[inline(always)]
    unsafe fn mul(self, other: Self) -> Self {
        self.zip(other, |a, b| a * b)
    }

    #[inline(always)]
    unsafe fn mul_add(self, factor: Self, sum: Self) -> Self {
        // Two roundings: without a fused instruction `f32::mul_add` is a slow library call.
        self.zip(factor, |a, b| a * b).zip(sum, |a, b| a + b)
    }

    #[inline(always)]
    unsafe fn min(self, other: Self) -> Self {
        self.zip(other, |a, b| if a < b { a } else { b })
    }

    #[inline(always)]
    unsafe fn max(self, other: Self) -> Self {
        self.zip(other, |a, b| if a > b { a } else { b })
    }
}

#[cfg(target_arch = "x86_64")]
impl Lanes for __m256 {
    const COUNT: usize = 8;

    // SAFETY, for all methods: the trait's contract is that of the instruction.
    #[inline(always)]
    unsafe fn splat(value: f32) -> Self {
        unsafe { _mm256_set1_ps(value) }
    }

    #[inline(always)]
    unsafe fn load(source: *const f32) -> Self {
        unsafe { _mm256_loadu_ps(source) }
    }

    #[inline(always)]
    unsafe fn store(self, target: *mut f32) {
        unsafe { _mm256_storeu_ps(target, self) }
    }

    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        unsafe { _mm256_add_ps(self, other) }
    }

    #[inline(always)]
    unsafe fn mul(self, other: Self) -> Self {
        unsafe { _mm256_mul_ps(self, other) }
    }

    #[inline(always)]
    unsafe fn mul_add(self, factor: Self, sum: Self) -> Self {
        unsafe { _mm256_fmadd_ps(self, factor, sum) }
    }

    #[inline(always)]
    unsafe fn min(self, other: Self) -> Self {
        unsafe { _mm256_min_ps(self, other) }
    }

    #[inline(always)]
    unsafe fn max(self, other: Self) -> Self {
        unsafe { _mm256_max_ps(self, other) }
    }
}

#[cfg(target_arch = "x86_64")]
impl Lanes for __m512 {
    const COUNT: usize = WIDEST;

    // SAFETY, for all methods: the trait's contract is that of the instruction.
    #[inline(always)]
    unsafe fn splat(value: f32) -> Self {
        unsafe { _mm512_set1_ps(value) }
    }

    #[inline(always)]
    unsafe fn load(source: *const f32) -> Self {
        unsafe { _mm512_loadu_ps(source) }
    }

    #[inline(always)]
    unsafe fn store(self, target: *mut f32) {
        unsafe { _mm512_storeu_ps(target, self) }
    }

    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        unsafe { _mm512_add_ps(self, other) }
    }

    #[inline(always)]
    unsafe fn mul(self, other: Self) -> Self {
        unsafe { _mm512_mul_ps(self, other) }
    }

    #[inline(always)]
    unsafe fn mul_add(self, factor: Self, sum: Self) -> Self {
        unsafe { _mm512_fmadd_ps(self, factor, sum) }
    }

    #[inline(always)]
    unsafe fn min(self, other: Self) -> Self {
        unsafe { _mm512_min_ps(self, other) }
    }

    #[inline(always)]
    unsafe fn max(self, other: Self) -> Self {
        unsafe { _mm512_max_ps(self, other) }
    }
}

/// Reads `count` numbers, at most a register; the rest of the register is zero.
///
/// # Safety
/// As [`Lanes`], with `count` readable numbers.
#[inline(always)]
pub(in crate::ops) unsafe fn load_part<V: Lanes>(source: *const f32, count: usize) -> V {
    // SAFETY: `count` numbers are readable, and the buffer holds any register.
    unsafe {
        if count >= V::COUNT {
            return V::load(source);
        }
        let mut buffer = [0.0_f32; WIDEST];
        source.copy_to_nonoverlapping(buffer.as_mut_ptr(), count);
        V::load(buffer.as_ptr())
    }
}

/// Writes the first `count` numbers, at most a register.
///
/// # Safety
/// As [`Lanes`], with `count` writable numbers.
#[inline(always)]
pub(in crate::ops) unsafe fn store_part<V: Lanes>(values: V, target: *mut f32, count: usize) {
    // SAFETY: `count` numbers are writable, and the buffer holds any register.
    unsafe {
        if count >= V::COUNT {
            return values.store(target);
        }
        let mut buffer = [0.0_f32; WIDEST];
        values.store(buffer.as_mut_ptr());
        buffer.as_ptr().copy_to_nonoverlapping(target, count);
    }
}
