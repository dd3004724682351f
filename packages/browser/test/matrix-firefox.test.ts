import { playRows } from './support/matrix.ts'

playRows('firefox')
