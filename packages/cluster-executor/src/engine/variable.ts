/** Where a worker finds its `CodeOptions`. */
export const WORKER_VARIABLE = "FUTURES_ENGINE_WORKER"
/** The signal on which a worker without calls ends. */
export const END_IF_IDLE = "SIGUSR2"
