import { Task } from "@futures/core"
import jpeg from "jpeg-js"

export interface Photo {
  readonly name: string
  readonly bytes: Uint8Array
}

interface Pixels {
  readonly width: number
  readonly height: number
  /** Red, green, blue and opacity of each pixel. */
  readonly data: Uint8Array
}

/** Each pixel of the result is the mean of those that it covers. */
const shrink = ({ data, height, width }: Pixels, toWidth: number): Pixels => {
  const toHeight = Math.max(1, Math.round(height * toWidth / width))
  const small = new Uint8Array(toWidth * toHeight * 4)
  for (let y = 0; y < toHeight; y++) {
    const [top, bottom] = [y, y + 1].map((row) => Math.floor(row * height / toHeight)) as [number, number]
    for (let x = 0; x < toWidth; x++) {
      const [left, right] = [x, x + 1].map((column) => Math.floor(column * width / toWidth)) as [number, number]
      const sums = [0, 0, 0, 0]
      for (let row = top; row < bottom; row++) {
        for (let at = (row * width + left) * 4; at < (row * width + right) * 4; at++) sums[at % 4]! += data[at]!
      }
      const covered = (bottom - top) * (right - left)
      for (let channel = 0; channel < 4; channel++) {
        small[(y * toWidth + x) * 4 + channel] = sums[channel]! / covered
      }
    }
  }
  return { width: toWidth, height: toHeight, data: small }
}

export const { thumbnail } = Task.module(import.meta, {
  /** The photo as a JPEG of 160 pixels' width; a smaller one stays as wide as it is. */
  thumbnail: ({ bytes, name }: Photo): Photo => {
    const photo = jpeg.decode(bytes, { useTArray: true })
    return { name, bytes: jpeg.encode(shrink(photo, Math.min(160, photo.width)), 80).data }
  }
})
