SELECT e'\\'
