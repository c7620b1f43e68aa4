export interface SizeLimits {
  minSizeBytes?: number;
  maxShrinkPercent?: number;
}

/** As the two keys stand in the file. */
export interface WrittenSizeLimits {
  min_size?: number | undefined;
  max_shrink_percent?: number | undefined;
}

/** Each of the two on its own: what `written` says, else that of `otherwise`, else nothing. */
export function sizeLimitsOf(written: WrittenSizeLimits, otherwise: SizeLimits): SizeLimits {
  const minSizeBytes = written.min_size ?? otherwise.minSizeBytes;
  const maxShrinkPercent = written.max_shrink_percent ?? otherwise.maxShrinkPercent;
  return {
    ...(minSizeBytes !== undefined && { minSizeBytes }),
    ...(maxShrinkPercent !== undefined && { maxShrinkPercent }),
  };
}
