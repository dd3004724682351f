import { describe } from 'node:test'
import { matrixCases } from './cases/matrix.ts'
import { questionCases } from './cases/question.ts'
import { startPlaying } from './support/playing.ts'

const playing = startPlaying('firefox')
describe('the matrix', () => matrixCases('firefox', playing))
describe('the question', () => questionCases(playing))
