import { describe } from 'node:test'
import { matrixCases } from './cases/matrix.ts'
import { questionCases } from './cases/question.ts'
import { reactCases } from './cases/react.ts'
import { reasonsCases } from './cases/reasons.ts'
import { threatsCases } from './cases/threats.ts'
import { startPlaying } from './support/playing.ts'

// One service and one Chromium for them all: each start costs as much as three cases.
const playing = startPlaying('chromium')
describe('the matrix', () => matrixCases('chromium', playing))
describe('threats', () => threatsCases(playing))
describe('the question', () => questionCases(playing))
describe('React', () => reactCases(playing))
// Last, since it moves the service's clock on.
describe('reasons', () => reasonsCases(playing))
