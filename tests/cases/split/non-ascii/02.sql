SELECT größe.名前 FROM größe
