/** Where a worker finds its `CodeOptions`. */
export const WORKER_VARIABLE = "FUTURES_ENGINE_WORKER"
