//! Seeded order and a prefetch thread that decodes ahead; stacks pictures to (B, 3, H, W).
