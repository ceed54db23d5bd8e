;; ; -- nothing
;/* nothing; */;
	;