export declare const frame: (value: unknown) => Buffer
export declare const unframe: (take: (value: unknown) => void) => (chunk: Buffer) => void
